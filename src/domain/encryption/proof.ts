// Whether the traffic of a pair of nodes is encrypted: what was seen on the wire, never what an agent says of itself.
import { number } from '../words/words.ts';
import { SETTLING_MS } from './reading.ts';

/** How it is known that a pair encrypts, the surest first. */
export const SIGNS = ['capture', 'counters', 'flows', 'regenerated', 'waited'] as const;
export type Sign = (typeof SIGNS)[number];

/** Probes of one size from one pod to another, in one direction, begun after the agent was ready. */
export interface Probes {
  readonly bytes: number;
  readonly tried: number;
  readonly failed: number;
  /** The sending and the answering pod are older than the change: they keep the MTU of before. */
  readonly old: boolean;
}

/** Connections of pods in one direction, begun when both nodes did what they were told. Nobody knows how large their packets were. */
export interface Traffic {
  readonly begun: number;
  readonly answered: number;
  /** No answer came in time, or the answered connection never came to its end although its kind always did before. */
  readonly lost: number;
  readonly ended: number;
  /**
   * Ended ones of a kind that nearly always ends, in the time that is usual for it: had something too large been on its way, they would hang, or
   * their clients would have given them up, which takes longer.
   */
  readonly whole: number;
  /** Connections of these kinds came to their end before the change. */
  readonly ends: boolean;
  /** Drops of the datapath for want of encryption. */
  readonly drops: number;
}

/** What is known of one direction, from a node to another, since the later of their agents has started. */
export interface PairEvidence {
  readonly from: string;
  readonly to: string;
  /** Both agents are ready, and started after their configuration was written. */
  readonly agentsReady: boolean;
  readonly agentsAfterConfiguration: boolean;
  readonly keysPublished: boolean;
  /** Every endpoint of the receiver carries the key. */
  readonly endpointsCarryKey: boolean;
  /** Milliseconds since the later agent was ready. */
  readonly sinceReadyMs: number;
  readonly probes: readonly Probes[];
  /** Nobody probes here: what pods do stands for it. */
  readonly traffic?: Traffic;
  /** No traffic of the pair is known, or so little that it says nothing: only what agents publish is looked at. */
  readonly quiet?: true;
  /** Encryption is turned off. */
  readonly off?: true;
  /** Some pods on both ends are older than the change. */
  readonly hasOldPods: boolean;
  /** Drops 195 (unencrypted traffic) and 197 (no node id) at either end. */
  readonly drops: number;
  /** Packets of a marked probe on the wire. */
  readonly capture?: { readonly plain: number; readonly encrypted: number };
  /** What the peer's counter of this direction grew by, and what the probes of the same time carried. Bytes. */
  readonly counters?: { readonly grew: number; readonly probed: number };
  /** Flows of the probes that came out of decryption. */
  readonly flows?: { readonly decrypted: number; readonly probed: number };
  /** All endpoints and the host were regenerated since the agent's start, by its metrics. */
  readonly regenerated?: { readonly host: boolean; readonly endpoints: boolean };
}

export type PairProof =
  | { readonly kind: 'proved'; readonly by: Sign; readonly words: string }
  /** Nothing is wrong, and something is missing: looked at again until the stage's time is over. */
  | { readonly kind: 'not-yet'; readonly check: Check; readonly words: string }
  | { readonly kind: 'failed'; readonly check: Check; readonly words: string };

export type Check =
  | 'agent'
  | 'configuration'
  | 'key'
  | 'endpoints'
  | 'drops'
  | 'small'
  | 'large'
  | 'old-pods'
  | 'capture'
  | 'counters'
  | 'flows'
  | 'regenerated'
  | 'time';

/** Fewer probes of a size prove nothing. */
const ENOUGH = 3;
/** Of so many connections some must have come to their end. */
const ENOUGH_TO_END = 10;
/** Below every path MTU, with room for WireGuard and a tunnel; above the one of WireGuard in every form (1,405 and 1,355 of 1,500). */
const SMALL_BYTES = 1_000;
export const LARGE_BYTES = 1_450;

/** Pure. The first check that is not true decides; a failing probe goes before all that is only missing. */
export function prove(pair: PairEvidence): PairProof {
  const failing = failedProbes(pair);
  if (failing) return failing;
  if (pair.drops > 0) return failed('drops', pair, `${number(pair.drops)} drops for want of encryption`);
  const missing = missingIn(pair);
  if (missing) return missing;
  const against = SIGNS_AGAINST.map((look) => look(pair)).find((one) => one !== undefined);
  if (against) return against;
  return proofOf(pair);
}

function failedProbes(pair: PairEvidence): PairProof | undefined {
  const bad = pair.probes.filter(isFailing).toSorted((a, b) => a.bytes - b.bytes)[0];
  if (!bad) return undefined;
  const passing = pair.probes.filter((one) => one.failed === 0 && one.tried >= ENOUGH && one.bytes < bad.bytes);
  const largest = Math.max(0, ...passing.map(({ bytes }) => bytes));
  const counted = `fails for payloads of ${number(bad.bytes)} bytes (${number(bad.failed)} of ${number(bad.tried)} probes)`;
  if (largest === 0) return failed('small', pair, counted);
  return failed('large', pair, `${counted}; ${number(largest)} bytes pass`);
}

/** Half of three or more. Single ones are lost as an agent restarts (cilium/cilium #31979), and are tried again. */
function isFailing({ tried, failed: bad }: Probes): boolean {
  return tried >= ENOUGH && bad * 2 >= tried;
}

function missingIn(pair: PairEvidence): PairProof | undefined {
  if (!pair.agentsReady) return notYet('agent', pair, 'an agent is not ready');
  if (!pair.agentsAfterConfiguration) return notYet('configuration', pair, 'an agent is older than its configuration');
  if (!pair.keysPublished) return notYet('key', pair, pair.off ? 'a key is still published' : 'a key is not published');
  if (!pair.endpointsCarryKey) {
    return notYet('endpoints', pair, pair.off ? 'a pod still carries a key' : 'not every pod carries the key');
  }
  if (pair.quiet) return undefined;
  if (pair.traffic) return missingTraffic(pair, pair.traffic);
  const passed = (holds: (one: Probes) => boolean): boolean => pair.probes.some((one) => holds(one) && one.tried - one.failed >= ENOUGH);
  if (!passed(({ bytes }) => bytes <= SMALL_BYTES)) return notYet('small', pair, 'too few small probes have passed');
  if (!passed(({ bytes }) => bytes >= LARGE_BYTES)) return notYet('large', pair, 'too few large probes have passed');
  if (pair.hasOldPods && !passed(({ bytes, old }) => old && bytes >= LARGE_BYTES)) {
    return notYet('old-pods', pair, 'no large probe between pods of before the change has passed');
  }
  return undefined;
}

/**
 * Too few to tell anything, and nothing wrong with any: in a large cluster most pairs are like that, and the pair is as one without traffic. Its
 * nodes are asked for what they tell elsewhere (telling.ts). One that has not ended yet is nothing wrong: at any time some pair has such. It is
 * lost once it hangs.
 */
export function isSparse({ begun, answered, lost, ended, ends, drops }: Traffic): boolean {
  if (lost > 0 || drops > 0 || answered !== begun) return false;
  return answered < ENOUGH || (ends && ended < ENOUGH && answered < ENOUGH_TO_END);
}

/** Beyond this share of lost ones the rest says nothing. */
const MOST_LOST = 0.1;

function missingTraffic(pair: PairEvidence, { begun, answered, lost, ended, ends }: Traffic): PairProof | undefined {
  if (answered < ENOUGH) return notYet('small', pair, `${number(answered)} of ${number(begun)} connections were answered, too few to tell`);
  if (lost > MOST_LOST * begun) return notYet('small', pair, `${number(lost)} of ${number(begun)} connections were lost`);
  if (ends && ended < ENOUGH) return notYet('large', pair, `${number(ended)} connections came to their end, too few to tell`);
  return undefined;
}

/** A sign that is there and speaks against it counts, however many others speak for it. */
const SIGNS_AGAINST: readonly ((pair: PairEvidence) => PairProof | undefined)[] = [
  (pair) => {
    if (!pair.capture) return undefined;
    if (pair.capture.plain > 0) return notYet('capture', pair, `${number(pair.capture.plain)} packets of a probe went in the clear`);
    return pair.capture.encrypted > 0 ? undefined : notYet('capture', pair, 'the capture has seen no packet at all');
  },
  (pair) =>
    pair.counters && pair.counters.grew < pair.counters.probed
      ? notYet('counters', pair, `the peer's counter grew by ${number(pair.counters.grew)} of ${number(pair.counters.probed)} bytes`)
      : undefined,
  (pair) =>
    pair.flows && pair.flows.decrypted < pair.flows.probed
      ? notYet('flows', pair, `${number(pair.flows.decrypted)} of ${number(pair.flows.probed)} probes came out of decryption`)
      : undefined,
  (pair) =>
    pair.regenerated && !(pair.regenerated.host && pair.regenerated.endpoints)
      ? notYet('regenerated', pair, 'not everything was regenerated since the agent has started')
      : undefined,
];

function proofOf(pair: PairEvidence): PairProof {
  const seen = (part: number | undefined): boolean => part !== undefined && part > 0;
  if (pair.capture) return proved('capture', pair, 'no packet in the clear was seen on the wire');
  if (seen(pair.counters?.probed)) return proved('counters', pair, "the peer's counter grew with the probes");
  if (seen(pair.flows?.probed)) return proved('flows', pair, 'the probes came out of decryption');
  if (pair.regenerated) return proved('regenerated', pair, 'everything was regenerated; nothing was seen on the wire');
  if (pair.sinceReadyMs >= SETTLING_MS) {
    return proved('waited', pair, `waited ${SETTLING_MS / 1_000} s, several times the longest lag that was measured; nothing was seen`);
  }
  return notYet('time', pair, 'its agent has only just started');
}

function proved(by: Sign, { from, to }: PairEvidence, what: string): PairProof {
  return { kind: 'proved', by, words: `${from} → ${to}: ${what}` };
}

function notYet(check: Check, { from, to }: PairEvidence, what: string): PairProof {
  return { kind: 'not-yet', check, words: `${from} → ${to}: ${what}` };
}

function failed(check: Check, { from, to }: PairEvidence, what: string): PairProof {
  return { kind: 'failed', check, words: `${from} → ${to} ${what}` };
}

export type StageProof =
  | { readonly kind: 'proved'; readonly pairs: number /** The weakest way in which any pair is known. */; readonly by: Sign }
  | { readonly kind: 'not-yet' | 'failed'; readonly words: readonly string[] };

/** All pairs of the nodes that have changed. One that fails decides; one that is missing holds all. */
export function proveStage(pairs: readonly PairEvidence[]): StageProof {
  const proofs = pairs.map(prove);
  const wordsOf = (kind: PairProof['kind']): readonly string[] => proofs.filter((one) => one.kind === kind).map(({ words }) => words);
  const bad = wordsOf('failed');
  if (bad.length > 0) return { kind: 'failed', words: bad };
  const open = wordsOf('not-yet');
  // A stage without a pair has proved nothing.
  if (open.length > 0 || pairs.length === 0) return { kind: 'not-yet', words: open.length > 0 ? open : ['no pair was probed'] };
  const by = proofs.flatMap((one) => (one.kind === 'proved' ? [one.by] : []));
  return { kind: 'proved', pairs: pairs.length, by: SIGNS.findLast((sign) => by.includes(sign)) ?? 'waited' };
}
