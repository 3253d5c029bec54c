import { VERSIONS } from '../versions.ts';
import { built, versionFlags } from './go.ts';
import type { Recipe } from './recipe.ts';

/** Pinned apart from the API server, at the same release of the Kubernetes modules: what is compiled is shared. */
function client(name: string, version: string, target: string): Recipe {
  return {
    title: `${name} ${version}`,
    entry: `${name}-${version}`,
    files: [name],
    verb: 'built',
    fill: (staging, kitchen) => built(kitchen, staging, { name, module: 'clients', target, ldflags: versionFlags(VERSIONS.kubernetes) }),
  };
}

export const helm: Recipe = client('helm', VERSIONS.helm, 'helm.sh/helm/v4/cmd/helm');
export const kubectl: Recipe = client('kubectl', VERSIONS.kubernetes, './kubectl');
