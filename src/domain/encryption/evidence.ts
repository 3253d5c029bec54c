// What is known of the nodes that a stage has changed, put together for the proof: pure, out of what was read and heard.
import type { EncryptionDetails } from './details.ts';
import { changedBy } from './details.ts';
import type { EncryptionFacts, NodeFacts } from './facts.ts';
import type { Mode } from './mode.ts';
import { isSparse, type PairEvidence, proveStage, type StageProof, type Traffic } from './proof.ts';
import { expectedKey, type Reading } from './reading.ts';
import { untold } from './telling.ts';

/** Whether the nodes that have changed are proved, as it was at `at`. */
export interface ProofEvidence {
  readonly kind: 'proof';
  readonly at: number;
  readonly proof: StageProof;
  /** Changed nodes without pods: nothing could be tried there. */
  readonly podless: readonly string[];
  /** Pairs with traffic, though too little of it to tell anything. */
  readonly few?: readonly string[];
  /** Lost as the plan said it would be, while agents restarted. */
  readonly expected: number;
}

const ARROW = ' → ';

/** What pods have sent each other, by `from → to`. */
export type TrafficBetween = ReadonlyMap<string, Traffic>;

export const pairName = (from: string, to: string): string => `${from}${ARROW}${to}`;
export function nodesIn(pair: string): readonly [string, string] {
  const at = pair.indexOf(ARROW);
  return [pair.slice(0, at), pair.slice(at + ARROW.length)];
}

type Sent = readonly [from: string, to: string, sent: Traffic];

export interface ProofInput {
  readonly details: EncryptionDetails;
  readonly stage: number;
  readonly reading: Reading;
  readonly traffic: TrafficBetween;
  /** When the nodes of this stage were told, as far as the API server knows (epoch ms). */
  readonly configuredAt?: number;
  readonly expected: number;
}

/**
 * Every pair of a changed node that has traffic, and each changed node by itself where it has none: what agents publish holds for it all the
 * same. A pair of which one node is not changed yet must pass its traffic too; nothing more can be asked of it. Then each changed node that has
 * pods must be told of by itself (telling.ts). One without pods is not waited for: nothing is sent there that could be lost or read, so what it
 * publishes is all that there is, and people are told that nothing was tried.
 */
export function proofOf(input: ProofInput): ProofEvidence {
  const { details, stage, reading, traffic, expected } = input;
  const changed = new Set(changedBy(details, stage));
  // What a sparse pair has to say are its nodes, and they are asked once: in a large cluster there are a hundred thousand such pairs.
  const known: Sent[] = [];
  const few: string[] = [];
  for (const [pair, sent] of traffic) {
    const [from, to] = nodesIn(pair);
    if (!changed.has(from) && !changed.has(to)) continue;
    known.push([from, to, sent]);
    if (isSparse(sent)) few.push(pair);
  }
  const telling = known.filter(([, , sent]) => !isSparse(sent));
  const told = new Set(telling.flatMap(([from, to]) => [from, to]));
  const evidenceOf = evidenceIn(input, changed);
  const evidence = [
    ...telling.map(([from, to, sent]) => evidenceOf(from, to, sent)),
    ...[...changed].filter((node) => !told.has(node)).map((node) => ({ ...evidenceOf(node, node), to: 'others', quiet: true as const })),
  ];
  const inhabited = withPods(reading.facts);
  const open = untold({ changed: [...changed].filter((node) => inhabited.has(node)), inhabited, change: details.change, pairs: known });
  const proof = alsoOpen(proveStage(evidence), open);
  const podless = [...changed].filter((node) => !inhabited.has(node));
  return { kind: 'proof', at: reading.facts.readAt, proof, podless, ...(few.length > 0 && { few }), expected };
}

/** Nodes with pods of their own network; where nobody can tell: all of them. */
function withPods({ nodes, unread, config }: EncryptionFacts): ReadonlySet<string> {
  const isKnown = !unread.includes('CiliumEndpoints') && config['disable-endpoint-crd'] !== 'true';
  const hasPods = ({ endpoints }: NodeFacts): boolean => Object.values(endpoints).some((count) => count > 0);
  return new Set(nodes.filter((node) => !isKnown || hasPods(node)).map(({ name }) => name));
}

function alsoOpen(proof: StageProof, open: readonly string[]): StageProof {
  if (proof.kind === 'failed' || open.length === 0) return proof;
  return { kind: 'not-yet', words: proof.kind === 'not-yet' ? [...proof.words, ...open] : open };
}

/** What is known of a pair: asked for each that tells anything. */
function evidenceIn(
  { details, stage, reading, configuredAt }: ProofInput,
  changed: ReadonlySet<string>,
): (from: string, to: string, sent?: Traffic) => PairEvidence {
  const nodes = new Map(reading.nodes.map((one) => [one.name, one]));
  const facts = new Map(reading.facts.nodes.map((one) => [one.name, one]));
  const wanted = details.change === 'on' ? details.mode : 'off';
  const told = new Set(details.nodes[stage] ?? []);
  const isAfterConfiguration = (name: string): boolean => {
    const startedAt = facts.get(name)?.agent?.startedAt;
    // Nodes of earlier stages were told earlier: what they do says that they know.
    return !told.has(name) || (configuredAt !== undefined && startedAt !== undefined && startedAt >= configuredAt);
  };
  const carriesKey = (name: string): boolean => {
    const node = facts.get(name);
    const key = node ? expectedKey(node, wanted) : 0;
    return Object.entries(node?.endpoints ?? {}).every(([carried, count]) => count === 0 || Number(carried) === key);
  };
  return (from, to, sent) => {
    const own = [...new Set([from, to])].filter((node) => changed.has(node));
    const readyAt = Math.max(...own.map((name) => facts.get(name)?.agent?.readyAt ?? reading.facts.readAt));
    return {
      from,
      to,
      agentsReady: [from, to].every((name) => nodes.get(name)?.running !== undefined),
      agentsAfterConfiguration: own.every(isAfterConfiguration),
      keysPublished: own.every((name) => nodes.get(name)?.running === wanted),
      endpointsCarryKey: own.every(carriesKey),
      sinceReadyMs: reading.facts.readAt - readyAt,
      probes: [],
      ...(sent && { traffic: sent }),
      ...(details.change === 'off' && { off: true as const }),
      hasOldPods: own.some((name) => nodes.get(name)?.disagreements.some(({ kind }) => kind === 'old-pods')),
      drops: sent?.drops ?? 0,
    };
  };
}

/** What of these nodes is not as it was told, in words; none: all do what they were told to. */
export function undone(reading: Reading, names: readonly string[], wanted: Mode): readonly string[] {
  return reading.nodes
    .filter(({ name }) => names.includes(name))
    .flatMap((node) => {
      if (node.running === undefined) return [`${node.name}: its agent has not come back`];
      if (node.running !== wanted) return [`${node.name}: its agent does not do what it was told`];
      const differ = node.disagreements.some(({ kind }) => kind === 'endpoints');
      return differ ? [`${node.name}: not every pod has the key of its node`] : [];
    });
}
