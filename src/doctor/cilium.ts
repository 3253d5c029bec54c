import { nodesNow } from '../clients/hubble/ask.ts';
import { ciliumConfigOf, connectCluster } from '../clients/kubernetes/cluster.ts';
import type { ConfigMap } from '../clients/kubernetes/objects.ts';
import { type Hubble, hubbleNow } from '../connect/hubble.ts';
import { type ClusterConfig, kubeConfigOf } from '../connect/kubernetes.ts';
import type { Config } from '../domain/config/schema.ts';
import { becomesIdentity } from '../domain/policy/stages/identity-filter.ts';
import { identityWaitMs } from '../domain/policy/stages/identity-wait.ts';
import { COHORT_LABEL } from '../domain/policy/stages/rule-document.ts';
import { formatDuration } from '../domain/words/duration.ts';
import { plural } from '../domain/words/words.ts';
import { type Check, Missing, type Remark } from './checks.ts';
import { aheadOf, behindOf, clocksWords } from './node-clocks.ts';

type Settings = Readonly<Record<string, string>>;

const CALL_MS = 5_000;
/** What Cilium takes: one less than a power of two, at most this. */
const LARGEST_RING = 65_535;
/** A cluster has more; these many say enough. */
const MOST_NODES = 30;

/** Cilium's own settings, and whether Hubble remembers long enough. */
export function ciliumChecks(name: string, cluster: ClusterConfig, config: Config): readonly Check[] {
  const read = 'Install Cilium, set `ciliumNamespace`, or apply rbac-read.yaml there.';
  const setting = (what: string, judge: (settings: Settings) => string | Remark): Check => ({
    name: `${name}: ${what}`,
    todo: read,
    look: async (signal) => judge(await settingsOf(cluster, signal)),
  });
  return [
    setting('visibility', visibility),
    setting('cohort label', cohortLabel),
    setting('identity wait', identityWait),
    {
      name: `${name}: Hubble's memory`,
      todo: 'Look at the line of Hubble first.',
      look: (signal) => checkRing(cluster, config.policy.window, signal),
    },
    {
      name: `${name}: clocks of the nodes`,
      todo: 'Look at the line of Hubble first.',
      look: (signal) => checkNodeClocks(cluster, signal),
    },
  ];
}

async function settingsOf(config: ClusterConfig, signal: AbortSignal): Promise<Settings> {
  const cluster = connectCluster(kubeConfigOf(config), config);
  try {
    const ref = ciliumConfigOf(cluster);
    const found = await cluster.read<ConfigMap>(ref, { signal, deadlineMs: CALL_MS });
    if (!found) throw new Error(`there is no ConfigMap ${ref.namespace}/${ref.name}`);
    return found.data ?? {};
  } finally {
    cluster.close();
  }
}

/** Requests are seen by the L7 proxy alone, drops and verdicts only where the agents tell them. */
export function visibility(settings: Settings): string | Remark {
  if (settings['enable-hubble'] !== 'true')
    throw new Missing('Hubble is off (enable-hubble)', 'Set hubble.enabled=true in the Helm values.');
  if (settings['enable-l7-proxy'] === 'false')
    throw new Missing('the L7 proxy is off (enable-l7-proxy): no request would be seen', 'Set l7Proxy=true in the Helm values.');
  for (const key of ['bpf-events-drop-enabled', 'bpf-events-policy-verdict-enabled']) {
    if (settings[key] === 'false')
      throw new Missing(`agents report too little (${key}: false): no policy could be watched`, `Set ${key} to true in cilium-config.`);
  }
  if (settings['bpf-events-trace-enabled'] === 'false')
    return {
      words: 'no traces (bpf-events-trace-enabled: false): connections without a policy are not seen, so dry-runs and `learn` find none',
      todo: 'Set bpf-events-trace-enabled to true in cilium-config.',
    };
  return 'requests, drops, verdicts and traces';
}

/** Cohorts are chosen by a label; where Cilium leaves it out of identities, no policy can select them. */
export function cohortLabel(settings: Settings): string {
  if (becomesIdentity(settings['labels'], COHORT_LABEL)) return `${COHORT_LABEL} is part of a pod's identity`;
  throw new Missing(
    `${COHORT_LABEL} would not become part of a pod's identity (key labels in cilium-config): no policy could go pod by pod`,
    `Add k8s:${COHORT_LABEL} to it (Helm: labels), and restart the agents.`,
  );
}

/** From a pod's label to its identity. */
export function identityWait(settings: Settings): string {
  const jitter = settings['identity-max-jitter'] ?? '30s by default';
  return `a stage of a policy waits up to ${formatDuration(identityWaitMs(settings))} for identities (identity-max-jitter ${jitter})`;
}

/** What an agent's ring held when it was asked. */
export interface Ring {
  readonly node: string;
  readonly depth: number;
  /** Flows a second. */
  readonly rate: number;
}

/** Does the smallest memory cover what dry-runs look back on? */
export function ringWords(rings: readonly Ring[], windowMs: number): string | Remark {
  const covered = rings.map((ring) => ({ ...ring, ms: ring.rate <= 0 ? Number.POSITIVE_INFINITY : (ring.depth / ring.rate) * 1_000 }));
  const [least] = covered.toSorted((a, b) => a.ms - b.ms);
  if (!least) throw new Error('no agent has told how much it remembers');
  const rate = `${Math.round(least.rate)} flows a second on ${least.node}`;
  if (least.ms >= windowMs) {
    const far = Number.isFinite(least.ms)
      ? `${formatDuration(Math.floor(least.ms / 1_000) * 1_000)} or more, at ${rate}`
      : 'far back, without traffic';
    return `remembers ${far}; dry-runs look ${formatDuration(windowMs)} back`;
  }
  const needed = (least.rate * windowMs) / 1_000;
  const size = 2 ** Math.ceil(Math.log2(needed + 1)) - 1;
  const enlarge = `Set hubble.eventBufferCapacity=${Math.min(size, LARGEST_RING)} (Helm)`;
  const todo =
    size > LARGEST_RING ? `${enlarge}, the most there is, and policy.window to what that covers.` : `${enlarge}, or shorten policy.window.`;
  const words = `remembers ${formatDuration(Math.max(1_000, Math.floor(least.ms / 1_000) * 1_000))} at ${rate}; dry-runs look ${formatDuration(windowMs)} back`;
  return { words, todo };
}

/** Every node that can be asked, with what `ask` finds; those that do not answer are left out. */
async function perNode<T>(
  config: ClusterConfig,
  signal: AbortSignal,
  ask: (hubble: Hubble, node: Node) => Promise<T>,
): Promise<{ readonly told: readonly T[]; readonly silent: number }> {
  const cluster = connectCluster(kubeConfigOf(config), config);
  try {
    const hubble = await hubbleNow(config, cluster, signal);
    const nodes = (await nodesNow(hubble.nodes, signal)).slice(0, MOST_NODES);
    const asked = await Promise.allSettled(nodes.map((node) => ask(hubble, node)));
    const told = asked.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []));
    return { told, silent: asked.length - told.length };
  } finally {
    cluster.close();
  }
}

type Node = Parameters<Hubble['connect']>[0];

async function checkRing(config: ClusterConfig, windowMs: number, signal: AbortSignal): Promise<string | Remark> {
  const { told, silent } = await perNode(config, signal, ringOf);
  const found = ringWords(told, windowMs);
  return silent === 0 || typeof found !== 'string' ? found : `${found} (${plural(silent, 'node')} did not say)`;
}

/** An event from our own future was made by a clock that is ahead; where all that is told live is old, one is behind, or its agent is late. */
async function checkNodeClocks(config: ClusterConfig, signal: AbortSignal): Promise<string | Remark> {
  const { told, silent } = await perNode(config, signal, async (hubble, node) => {
    const observer = hubble.connect(node);
    try {
      const [aheadMs, behindMs] = await Promise.all([aheadOf(observer, Date.now()), behindOf(observer, Date.now)]);
      return { node: node.node, aheadMs, behindMs };
    } finally {
      observer.close();
    }
  });
  const words = clocksWords(told);
  return silent === 0 || typeof words !== 'string' ? words : `${words} (${plural(silent, 'node')} did not say)`;
}

async function ringOf(hubble: Hubble, node: Parameters<Hubble['connect']>[0]): Promise<Ring> {
  const observer = hubble.connect(node);
  try {
    const { max_flows: depth = 0, flows_rate: told, seen_flows: seen = 0, uptime_ns: uptime = 0 } = await observer.status(CALL_MS);
    // An agent of before 1.16 does not tell its rate.
    const rate = told ?? (uptime > 0 ? seen / (uptime / 1e9) : 0);
    return { node: node.node, depth, rate };
  } finally {
    observer.close();
  }
}
