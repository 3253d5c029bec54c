import type { ObjectRef } from '../../src/domain/plan.ts';
import type { Flows } from '../clients/hubble/flows.ts';
import type { Cluster } from '../clients/kubernetes/cluster.ts';
import { CONFIG_MAP, type ConfigMap } from '../clients/kubernetes/objects.ts';
import type { Impossible } from './preconditions.ts';

/** Cilium's settings as its ConfigMap has them: a key that is missing has Cilium's default. */
type Settings = Readonly<Record<string, string>>;

const CILIUM_CONFIG: ObjectRef = { ...CONFIG_MAP, namespace: 'kube-system', name: 'cilium-config' };

/** What can be seen of a canary. `limits`: what cannot, in words; the rest suffices. */
export type Sight = { readonly blind: Impossible } | { readonly limits: readonly string[] };

/** Can the requests be seen at all? Cilium's settings must let them through, and every agent must answer. */
export async function checkSight(
  { cluster, flows }: { readonly cluster: Cluster; readonly flows: Flows },
  signal: AbortSignal,
): Promise<Sight> {
  const [config, nodes] = await Promise.all([cluster.read<ConfigMap>(CILIUM_CONFIG, { signal }), flows.check(signal)]);
  if (!config) return blind('there is no ConfigMap kube-system/cilium-config', 'Check that Cilium is installed there');
  const settings = config.data ?? {};
  if (settings['enable-hubble'] !== 'true')
    return blind('Hubble is off (enable-hubble in cilium-config)', 'Set hubble.enabled=true in the Helm values');
  if (settings['enable-l7-proxy'] === 'false')
    return blind('the L7 proxy is off (enable-l7-proxy in cilium-config)', 'Set l7Proxy=true in the Helm values');
  if (nodes.length === 0) return blind('no agent of the cluster is known', 'Check `hubble` in meshops.yaml');
  const away = nodes.flatMap(({ node, problem }) => (problem === undefined ? [] : [`${node} (${problem})`]));
  if (away.length > 0) return blind(`flows of ${away.join(', ')} cannot be read`, 'Mend that, or check `hubble` in meshops.yaml');
  return { limits: limitsOf(settings) };
}

/** A ring smaller than this holds less than a worker's absence at a moderate load. */
const SMALL_RING = 1_023;

/**
 * What Cilium's settings hide of drops and requests, without making a canary unwatchable: HTTP records come from Envoy's log and no
 * bpf-events setting touches them. Monitor aggregation folds traces only, so it hides neither.
 */
export function limitsOf(settings: Settings): readonly string[] {
  const limits: string[] = [];
  if (settings['bpf-events-drop-enabled'] === 'false') limits.push('dropped packets (bpf-events-drop-enabled is false)');
  const rate = Number(settings['bpf-events-default-rate-limit'] ?? 0);
  if (rate > 0) limits.push(`dropped packets beyond ${rate} events/s on a node (bpf-events-default-rate-limit)`);
  const ring = Number(settings['hubble-event-buffer-capacity'] ?? 4_095);
  if (ring < SMALL_RING) limits.push(`more than the last ${ring} flows of a node after a break (hubble-event-buffer-capacity)`);
  if (hidesRequestId(settings)) limits.push('requests without any answer (Hubble redacts x-request-id)');
  return limits;
}

/** With an allow list everything else is redacted, with a deny list only what is on it. */
function hidesRequestId(settings: Settings): boolean {
  if (settings['hubble-redact-enabled'] !== 'true') return false;
  const list = (key: string): readonly string[] =>
    (settings[key] ?? '')
      .toLowerCase()
      .split(/[\s,]+/)
      .filter(Boolean);
  const allowed = list('hubble-redact-http-headers-allow');
  return allowed.length > 0 ? !allowed.includes('x-request-id') : list('hubble-redact-http-headers-deny').includes('x-request-id');
}

export function blind(what: string, next: string): { readonly blind: Impossible } {
  return {
    blind: {
      kind: 'impossible',
      code: 'Blind',
      words: `Failures of the canary could not be seen: ${what}. Nothing was changed. ${next}, then run the command again.`,
    },
  };
}
