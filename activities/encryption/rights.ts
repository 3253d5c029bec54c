import type { NeededRight } from '../planning/rights.ts';

/** What the person must be able to do, and meshops itself to take it back. */
export function rightsFor(namespace: string): { readonly forward: readonly NeededRight[]; readonly back: readonly NeededRight[] } {
  const config: NeededRight = {
    verb: 'patch',
    group: '',
    resource: 'configmaps',
    namespace,
    name: 'cilium-config',
    what: `patch ConfigMap ${namespace}/cilium-config`,
  };
  const nodes = (verb: string): NeededRight => ({
    verb,
    group: 'cilium.io',
    resource: 'ciliumnodeconfigs',
    namespace,
    what: `${verb} CiliumNodeConfigs in ${namespace}`,
  });
  const agents = (verb: string): NeededRight => ({ verb, group: '', resource: 'pods', namespace, what: `${verb} pods in ${namespace}` });
  return {
    forward: [config, nodes('create'), nodes('patch'), nodes('delete'), agents('delete')],
    back: [config, nodes('patch'), nodes('delete'), agents('delete'), agents('patch')],
  };
}
