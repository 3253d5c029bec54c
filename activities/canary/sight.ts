import { type Flows, RELAY } from '../../src/clients/hubble/flows.ts';
import { type Cluster, ciliumConfigOf } from '../../src/clients/kubernetes/cluster.ts';
import type { ConfigMap } from '../../src/clients/kubernetes/objects.ts';
import type { Impossible } from '../planning/impossible.ts';
import type { Before } from './baseline.ts';

/** Cilium's settings as its ConfigMap has them: a key that is missing has Cilium's default. */
type Settings = Readonly<Record<string, string>>;

/** What can be seen of a canary. `limits`: what cannot, in words; `away`: agents that do not answer, and why. */
export type Sight = { readonly blind: Impossible } | { readonly limits: readonly string[]; readonly away: readonly Away[] };

interface Away {
  readonly node: string;
  readonly problem: string;
}

/** Can requests be seen at all? Cilium's settings must let them through, and agents must answer: which of them is `missing`'s to say. */
export async function checkSight(
  { cluster, flows }: { readonly cluster: Cluster; readonly flows: Flows },
  signal: AbortSignal,
): Promise<Sight> {
  const ref = ciliumConfigOf(cluster);
  const [config, nodes] = await Promise.all([cluster.read<ConfigMap>(ref, { signal }), flows.check(signal)]);
  if (!config)
    return blind(`there is no ConfigMap ${ref.namespace}/cilium-config`, 'Check that Cilium is installed there, or set `ciliumNamespace`');
  const settings = config.data ?? {};
  if (settings['enable-hubble'] !== 'true')
    return blind('Hubble is off (enable-hubble in cilium-config)', 'Set hubble.enabled=true in the Helm values');
  if (settings['enable-l7-proxy'] === 'false')
    return blind('the L7 proxy is off (enable-l7-proxy in cilium-config)', 'Set l7Proxy=true in the Helm values');
  if (nodes.length === 0) return blind('no agent of the cluster is known', 'Check `hubble` in meshops.yaml');
  const away = nodes.flatMap(({ node, problem, unreached }) => {
    if (unreached) return unreached.map((one) => ({ node: one, problem: 'Relay does not reach it' }));
    return problem === undefined ? [] : [{ node, problem }];
  });
  if (nodes.every(({ problem, unreached }) => problem !== undefined && !unreached)) return unreadable(away);
  return { limits: limitsOf(settings), away };
}

/** Agents that do not answer: blind where this traffic runs on one of their nodes, else a remark on each. */
export function missing(away: readonly Away[], { nodes, reporters }: Pick<Before, 'nodes' | 'reporters'>): Sight {
  const name = (node = ''): string => node.slice(node.lastIndexOf('/') + 1);
  const carriers = new Set([...nodes, ...reporters].map(name));
  const carrying = away.filter(({ node }) => node === RELAY || nodes.includes(undefined) || carriers.has(name(node)));
  if (carrying.length > 0) return unreadable(carrying);
  return { limits: away.length === 0 ? [] : [`${named(away)}: none of this traffic was seen there`], away };
}

const MOST_NAMED = 3;

function named(away: readonly Away[]): string {
  const more = away.length > MOST_NAMED ? ` and ${away.length - MOST_NAMED} more nodes` : '';
  const first = away.slice(0, MOST_NAMED).map(({ node, problem }) => `${node} (${problem})`);
  return `${first.join(', ')}${more}`;
}

function unreadable(away: readonly Away[]): { readonly blind: Impossible } {
  return blind(`flows of ${named(away)} cannot be read`, 'Fix that, or check `hubble` in meshops.yaml');
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
