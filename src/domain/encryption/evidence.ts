// What is known of the nodes that a stage has changed, put together for the proof: pure, out of what was read and heard.
import type { EncryptionDetails } from './details.ts';
import { changedBy } from './details.ts';
import type { Mode } from './mode.ts';
import { isSparse, type PairEvidence, proveStage, type StageProof, type Traffic } from './proof.ts';
import { expectedKey, type Reading } from './reading.ts';

/** Whether the nodes that have changed are proved, as it was at `at`. */
export interface ProofEvidence {
  readonly kind: 'proof';
  readonly at: number;
  readonly proof: StageProof;
  /** Changed nodes of which no traffic with others is known. */
  readonly quiet: readonly string[];
  /** Pairs with traffic, though too little of it to tell anything. */
  readonly few?: readonly string[];
  /** Lost as the plan said it would be, while agents restarted. */
  readonly expected: number;
}

/** What pods have sent each other, by `from → to`. */
export type TrafficBetween = ReadonlyMap<string, Traffic>;

export const pairName = (from: string, to: string): string => `${from} → ${to}`;
export const nodesIn = (pair: string): readonly [string, string] => pair.split(' → ') as [string, string];

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
 * same. A pair of which one node is not changed yet must pass its traffic too; nothing more can be asked of it.
 */
export function proofOf(input: ProofInput): ProofEvidence {
  const { details, stage, reading, traffic, expected } = input;
  const changed = changedBy(details, stage);
  const pairs = [...traffic.keys()].map(nodesIn);
  const known = pairs.filter(([from, to]) => changed.includes(from) || changed.includes(to));
  const telling = known.filter(([from, to]) => !isSparse(traffic.get(pairName(from, to)) as Traffic));
  const few = known.filter((pair) => !telling.includes(pair)).map(([from, to]) => pairName(from, to));
  const quiet = changed.filter((node) => !telling.some((pair) => pair.includes(node)));
  const evidence = [
    ...known.map(([from, to]) => pairEvidence(input, changed, from, to)),
    ...quiet.map((node): PairEvidence => ({ ...pairEvidence(input, changed, node, node), to: 'others', quiet: true })),
  ];
  return { kind: 'proof', at: reading.facts.readAt, proof: proveStage(evidence), quiet, ...(few.length > 0 && { few }), expected };
}

function pairEvidence(input: ProofInput, changed: readonly string[], from: string, to: string): PairEvidence {
  const { details, stage, reading, traffic, configuredAt } = input;
  const own = [...new Set([from, to])].filter((node) => changed.includes(node));
  const nodeOf = (name: string) => reading.nodes.find((one) => one.name === name);
  const factsOf = (name: string) => reading.facts.nodes.find((one) => one.name === name);
  const wanted = details.change === 'on' ? details.mode : 'off';
  const told = new Set(details.nodes[stage] ?? []);
  const readyAt = Math.max(...own.map((name) => factsOf(name)?.agent?.readyAt ?? reading.facts.readAt));
  const between = traffic.get(pairName(from, to));
  return {
    from,
    to,
    agentsReady: [from, to].every((name) => nodeOf(name)?.running !== undefined),
    agentsAfterConfiguration: own.every((name) => {
      const startedAt = factsOf(name)?.agent?.startedAt;
      // Nodes of earlier stages were told earlier: what they do says that they know.
      return !told.has(name) || (configuredAt !== undefined && startedAt !== undefined && startedAt >= configuredAt);
    }),
    keysPublished: own.every((name) => nodeOf(name)?.running === wanted),
    endpointsCarryKey: own.every((name) => {
      const facts = factsOf(name);
      const key = facts ? expectedKey(facts, wanted) : 0;
      return Object.entries(facts?.endpoints ?? {}).every(([carried, count]) => count === 0 || Number(carried) === key);
    }),
    sinceReadyMs: reading.facts.readAt - readyAt,
    probes: [],
    ...(between && (isSparse(between) ? { quiet: true as const } : { traffic: between })),
    ...(details.change === 'off' && { off: true as const }),
    hasOldPods: own.some((name) => nodeOf(name)?.disagreements.some(({ kind }) => kind === 'old-pods')),
    drops: between?.drops ?? 0,
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
