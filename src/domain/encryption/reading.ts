import type { EncryptionFacts, NodeFacts } from './facts.ts';
import { type Configured, type Mode, runningOn, settingsOf, type Wanted, wantedBy } from './mode.ts';

/** Something about one node that does not fit the rest. */
export type Disagreement =
  | { readonly kind: 'agent-down' }
  /** It started before its configuration was written: a restart is needed. */
  | { readonly kind: 'agent-older'; readonly configured: Configured; readonly running: Mode }
  /** It started afterwards, or when is not known, and does not do what it is told to. */
  | { readonly kind: 'not-done'; readonly configured: Configured; readonly running: Mode }
  | { readonly kind: 'two-modes' }
  /** Pods whose key tells senders otherwise than the node does: what is sent to them is not encrypted, or to nobody. */
  | { readonly kind: 'endpoints'; readonly wrong: number; readonly of: number }
  | { readonly kind: 'same-key'; readonly as: string }
  | { readonly kind: 'blocked'; readonly keys: readonly string[] }
  | { readonly kind: 'own-configuration'; readonly by: readonly string[]; readonly configured: Configured }
  | { readonly kind: 'version'; readonly version: string; readonly others: string }
  /** They keep the MTU of before; where fragments are dropped, their large packets are lost. */
  | { readonly kind: 'old-pods'; readonly count: number };

/** True where something of the node does not fit. Pods of before are no such thing: everybody has them after the day on which it was turned on. */
export function disagrees({ disagreements }: Pick<NodeReading, 'disagreements'>): boolean {
  return disagreements.some(({ kind }) => kind !== 'old-pods');
}

export interface NodeReading {
  readonly name: string;
  readonly zone?: string;
  readonly configured: Wanted;
  /** Undefined: no agent is ready, so what it has published may be of before. */
  readonly running?: Mode;
  /** Since when at the latest it runs what it runs, epoch ms. */
  readonly since?: number;
  /** Its agent has started so recently that it may not do yet what it has published. */
  readonly settling: boolean;
  readonly disagreements: readonly Disagreement[];
}

export interface Reading {
  readonly facts: EncryptionFacts;
  /** What cilium-config says, for nodes without a configuration of their own. */
  readonly wanted: Wanted;
  readonly nodes: readonly NodeReading[];
}

/**
 * An agent publishes its key 2.4 to 3.9 s before the programs that encrypt are loaded, and traffic between nodes follows 4 to 9 s after:
 * measured on unmodified agents of Cilium 1.20.2. Milliseconds, with a margin.
 */
export const SETTLING_MS = 20_000;
/** The longest of these, with less of a margin: what begins later says something of the pair as it is to be (ms). */
export const ENCRYPTS_WITHIN_MS = 10_000;

export const ZONE_LABEL = 'topology.kubernetes.io/zone';

/** What every node is told to do, does, and where the two differ. Pure. */
export function readEncryption(facts: EncryptionFacts): Reading {
  const usual = commonest(facts.nodes.flatMap(({ agent }) => (agent?.image ? [versionOf(agent.image)] : [])));
  const holders = new Map<string, string[]>();
  for (const { name, publicKey } of facts.nodes)
    if (publicKey !== undefined) holders.set(publicKey, [...(holders.get(publicKey) ?? []), name]);
  const nodes = facts.nodes
    .toSorted((a, b) => a.name.localeCompare(b.name, 'en', { numeric: true }))
    .map((node) => readNode(facts, node, { usual, holders }));
  return { facts, wanted: wantedBy(facts.config), nodes };
}

interface Others {
  readonly usual?: string | undefined;
  readonly holders: ReadonlyMap<string, readonly string[]>;
}

function readNode(facts: EncryptionFacts, node: NodeFacts, others: Others): NodeReading {
  const { settings, by, blocked } = settingsOf(facts, node.labels);
  const configured = wantedBy(settings);
  const up = node.ready && node.agent?.ready === true;
  const running = runningOn(node);
  const startedAt = node.agent?.startedAt;
  const lastStart = latest(startedAt, node.agent?.runningSince);
  const zone = node.labels[ZONE_LABEL];
  const since = running === 'off' ? undefined : latest(startedAt, node.keySince);
  const disagreements: Disagreement[] = [];
  if (!up) disagreements.push({ kind: 'agent-down' });
  if (configured.mode === 'both') disagreements.push({ kind: 'two-modes' });
  // ztunnel publishes nothing that could be read here.
  else if (up && configured.mode !== running && configured.mode !== 'ztunnel') {
    const changedAt = changeOf(facts, by);
    const older = startedAt !== undefined && changedAt !== undefined && startedAt < changedAt;
    disagreements.push({ kind: older ? 'agent-older' : 'not-done', configured: configured.mode, running });
  }
  if (blocked.length > 0) disagreements.push({ kind: 'blocked', keys: blocked });
  if (configured.mode !== wantedBy(facts.config).mode) {
    disagreements.push({ kind: 'own-configuration', by, configured: configured.mode });
  }
  disagreements.push(...ofKeys(node, running, others.holders), ...ofPods(facts, node, running));
  if (node.agent?.image && others.usual !== undefined && versionOf(node.agent.image) !== others.usual) {
    disagreements.push({ kind: 'version', version: versionOf(node.agent.image), others: others.usual });
  }
  return {
    name: node.name,
    ...(zone !== undefined && { zone }),
    configured,
    ...(up && { running }),
    ...(since !== undefined && { since }),
    settling: lastStart !== undefined && facts.readAt - lastStart < SETTLING_MS,
    disagreements,
  };
}

function ofKeys(node: NodeFacts, running: Mode, holders: Others['holders']): readonly Disagreement[] {
  const found: Disagreement[] = [];
  const total = Object.values(node.endpoints).reduce((sum, count) => sum + count, 0);
  const right = expectedKey(node, running);
  const wrong = total - (node.endpoints[right] ?? 0);
  if (wrong > 0) found.push({ kind: 'endpoints', wrong, of: total });
  const twin = holders.get(node.publicKey ?? '')?.find((name) => name !== node.name);
  if (twin !== undefined) found.push({ kind: 'same-key', as: twin });
  return found;
}

/** What the node's endpoints must carry so that others encrypt what they send to them. */
export function expectedKey({ key }: Pick<NodeFacts, 'key'>, running: Mode): number {
  if (running === 'wireguard') return 255;
  return running === 'ipsec' ? key : 0;
}

/** Pods of before the encryption. Both times are at the latest, so some may be younger: it is said as a possibility. */
function ofPods({ changedAt }: EncryptionFacts, { keySince, podsSince }: NodeFacts, running: Mode): readonly Disagreement[] {
  if (running !== 'wireguard') return [];
  const since = Math.min(changedAt ?? Number.POSITIVE_INFINITY, keySince ?? Number.POSITIVE_INFINITY);
  const count = Number.isFinite(since) ? podsSince.filter((at) => at < since).length : 0;
  return count > 0 ? [{ kind: 'old-pods', count }] : [];
}

/** When what this node is told was last written. */
function changeOf({ changedAt, overrides }: EncryptionFacts, by: readonly string[]): number | undefined {
  return latest(changedAt, ...overrides.filter(({ name }) => by.includes(name)).map((one) => one.changedAt));
}

function latest(...times: readonly (number | undefined)[]): number | undefined {
  const known = times.filter((at) => at !== undefined);
  return known.length === 0 ? undefined : Math.max(...known);
}

/** `v1.20.2` of `quay.io/cilium/cilium:v1.20.2@sha256:…`; the image itself where it has no tag. */
export function versionOf(image: string): string {
  return /:([^:/@]+)(?:@|$)/.exec(image.replace(/@sha256:.*$/, ''))?.[1] ?? image;
}

function commonest(values: readonly string[]): string | undefined {
  const counts = new Map<string, number>();
  for (const value of values) counts.set(value, (counts.get(value) ?? 0) + 1);
  return [...counts].toSorted((a, b) => b[1] - a[1] || a[0].localeCompare(b[0]))[0]?.[0];
}
