import { join } from 'node:path';
import { runOrFail } from '../command.ts';
import { TOOLS_DIR, VERSIONS } from '../versions.ts';
import { buildArgs, goEnv, goLine, PROXY, requireGo, versionFlags } from './go.ts';
import type { Kitchen, Recipe } from './recipe.ts';

/** Pinned apart from the API server, at the same release of the Kubernetes modules. */
const CLIENTS_DIR = join(TOOLS_DIR, 'clients');

const client = (name: string, version: string, target: string): Recipe => ({
  title: `${name} ${version}`,
  entry: `${name}-${version}`,
  files: [name],
  verb: 'built',
  fill: async (staging: string, kitchen: Kitchen) => {
    await requireGo(kitchen);
    await runOrFail(name, PROXY, {
      program: 'go',
      args: buildArgs(join(staging, name), versionFlags(VERSIONS.kubernetes), target),
      env: goEnv(kitchen.env),
      signal: kitchen.signal,
      cwd: CLIENTS_DIR,
      say: (line) => kitchen.say(goLine(line)),
    });
  },
});

export const helm: Recipe = client('helm', VERSIONS.helm, 'helm.sh/helm/v4/cmd/helm');
export const kubectl: Recipe = client('kubectl', VERSIONS.kubernetes, './kubectl');
