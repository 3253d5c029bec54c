import { type Flow, isTrace, millisecondsOf } from '../../src/clients/hubble/flow.ts';
import { pairName } from '../../src/domain/encryption/evidence.ts';
import type { Traffic } from '../../src/domain/encryption/proof.ts';
import type { RequestEvidence } from '../../src/domain/judge/evidence.ts';
import { POLICY_DROPS } from '../../src/domain/policy/dryrun/flow.ts';
import { createUnanswered, type Waiting } from '../watch/unanswered.ts';
import { Kinds } from './kinds.ts';
import { bare, keyOf, kindOf } from './names.ts';
import type { TrafficOptions, TrafficReader } from './traffic-reader.ts';

/** A first packet is sent again after 1 s (RFC 6298): no answer to the second one either. */
const ANSWER_MS = 2_000;
/** Connections of a kind that end within this time nearly always hang where they do not (ms). */
const END_MS = 5_000;
/**
 * A node's records come in order, so the next one tells that no answer is on its way. A node that tells nothing more for so long is lost rather
 * than late (ms).
 */
const SILENT_MS = 10_000;
/** What an attempt had not told when it ended had begun at most so long before (ms). */
export const UNTOLD_MS = ANSWER_MS + END_MS;
const MOST_OPEN = 20_000;
/** Strict mode drops what is not encrypted; a node without an id cannot be sent anything encrypted (drops 195 and 197). */
const FOR_WANT_OF_ENCRYPTION: readonly string[] = ['UNENCRYPTED_TRAFFIC', 'NO_NODE_ID'];

type Counted = 'begun' | 'answered' | 'lost' | 'ended' | 'whole';
type Flags = Readonly<Partial<Record<'SYN' | 'ACK' | 'RST' | 'FIN', boolean>>>;

interface Begun extends Waiting {
  readonly pair: string;
  readonly from: string;
  readonly to: string;
  /** Who serves it: what is alike ends alike. */
  readonly kind: string;
  readonly proves: boolean;
}

/**
 * Connections from node to node, as the agent of the sender's node sees them: the first packet leaves, an answer arrives, the end is seen. The
 * datapath reports nothing of what is lost between nodes, so only what does not come says that something is wrong.
 */
export function createTrafficReader(options: TrafficOptions): TrafficReader {
  return new Reader(options);
}

class Reader implements TrafficReader {
  readonly #options: TrafficOptions;
  readonly #waiting = createUnanswered<Begun>(ANSWER_MS, SILENT_MS);
  /** Answered, and not at their end. */
  readonly #open = new Map<string, Begun>();
  readonly #kinds = new Kinds();
  readonly #traffic = new Map<string, { -readonly [K in keyof Traffic]: Traffic[K] }>();
  /** Event time that each node's records have reached. */
  readonly #newest = new Map<string, number>();
  #isLearning = true;
  #expected = 0;

  constructor(options: TrafficOptions) {
    this.#options = options;
  }

  get traffic(): ReadonlyMap<string, Traffic> {
    return this.#traffic;
  }

  get expected(): number {
    return this.#expected;
  }

  read(flow: Flow, node: string, seenAt: number): RequestEvidence | undefined {
    const at = millisecondsOf(flow.time);
    const key = keyOf(flow);
    if (key === undefined) return undefined;
    if (flow.verdict === 'DROPPED') this.#dropped(flow, key, at);
    if (!isTrace(flow)) return undefined;
    const flags = flow.l4?.TCP?.flags ?? {};
    const isReply = flow.is_reply?.value === true;
    this.#waiting.reached(bare(node), at);
    this.#reached(bare(node), at);
    if (!isReply && flags.SYN && !flags.ACK) {
      this.#begin(flow, bare(node), key, at);
      return undefined;
    }
    if ('FIN' in flags) this.#end(key, at);
    else if (isReply && flow.trace_observation_point === 'TO_ENDPOINT') return this.#answer(key, flags, { at, seenAt });
    return undefined;
  }

  #dropped(flow: Flow, key: string, at: number): void {
    const { drop_reason_desc: reason } = flow;
    // A policy drops it: no answer is no loss.
    if (reason === undefined || POLICY_DROPS.includes(reason)) return this.#waiting.forget(key);
    if (!FOR_WANT_OF_ENCRYPTION.includes(reason) || at < this.#options.from) return;
    const [from, to] = this.#ends(flow);
    if (from !== undefined && to !== undefined && from !== to) this.#of({ pair: pairName(from, to), kind: kindOf(flow) }).drops += 1;
  }

  /** From which node to which. */
  #ends({ IP, source, destination }: Flow): readonly [string | undefined, string | undefined] {
    const { nodeOf } = this.#options;
    return [nodeOf(IP?.source ?? '', source?.identity), nodeOf(IP?.destination ?? '', destination?.identity)];
  }

  #begin(flow: Flow, node: string, key: string, at: number): void {
    const begun = this.#begunOf(flow, node, key, at);
    if (begun && at >= this.#options.from) this.#waiting.asked(begun);
  }

  #begunOf(flow: Flow, node: string, key: string, at: number): Begun | undefined {
    if (flow.trace_observation_point === 'TO_ENDPOINT') return undefined;
    const [from, to] = this.#ends(flow);
    if (to === undefined || to === node || from !== node) return undefined;
    return { key, node, at, pair: pairName(node, to), from, to, kind: kindOf(flow), proves: this.#options.proves(from, to, at) };
  }

  #answer(key: string, flags: Flags, { at, seenAt }: { readonly at: number; readonly seenAt: number }): RequestEvidence | undefined {
    const begun = this.#waiting.answered(key, at);
    if (begun === undefined || begun === 'told') return undefined;
    this.#count(begun, 'begun', 'answered');
    // Refused: that is an answer, and nothing more comes.
    if (!flags.RST) {
      this.#open.set(key, { ...begun, at });
      if (this.#open.size > MOST_OPEN) this.#open.delete(this.#open.keys().next().value ?? '');
    }
    return at > (this.#options.heardTo ?? 0) ? this.#told(begun, { at, seenAt }) : undefined;
  }

  #end(key: string, at: number): void {
    const open = this.#open.get(key);
    if (!open) return this.#kinds.end(key, at);
    this.#open.delete(key);
    this.#kinds.ended(open.kind);
    this.#count(open, 'ended', ...(this.#kinds.isWhole(open.kind, at - open.at) ? ['whole' as const] : []));
  }

  learn(flow: Flow, node: string): void {
    const key = keyOf(flow);
    if (key === undefined || !isTrace(flow)) return;
    const at = millisecondsOf(flow.time);
    this.#reached(bare(node), at);
    const flags = flow.l4?.TCP?.flags ?? {};
    if ('FIN' in flags) return this.#kinds.end(key, at);
    if (flow.is_reply?.value === true) return this.#kinds.answered(key);
    const begun = flags.SYN && !flags.ACK ? this.#begunOf(flow, bare(node), key, at) : undefined;
    if (begun) this.#kinds.follow(key, begun);
  }

  learned(): void {
    this.#isLearning = false;
  }

  #reached(node: string, at: number): void {
    this.#newest.set(node, Math.max(at, this.#newest.get(node) ?? 0));
  }

  overdue(now: number): readonly RequestEvidence[] {
    const { heardTo = 0, isExpected } = this.#options;
    if (!this.#isLearning) this.#kinds.settle(this.#newest, END_MS);
    const lost = this.#waiting.overdue(now).filter(({ at }) => at + ANSWER_MS > heardTo);
    const hung = this.#hanging().filter(({ at }) => at + END_MS > heardTo);
    const told = [...lost.map((begun) => [begun, 'no answer'] as const), ...hung.map((begun) => [begun, 'hangs'] as const)];
    return told.flatMap(([begun, failure]) => {
      const { from, to, at } = begun;
      if (isExpected(from, at) || isExpected(to, at)) {
        this.#expected += 1;
        return [];
      }
      // One that hangs was counted with its answer.
      this.#count(begun, 'lost', ...(failure === 'hangs' ? [] : ['begun' as const]));
      return [this.#told(begun, { at: now, seenAt: now, failure })];
    });
  }

  #hanging(): readonly Begun[] {
    const late = [...this.#open.values()].filter(({ node, at }) => (this.#newest.get(node) ?? 0) - at > END_MS);
    for (const { key } of late) this.#open.delete(key);
    const hung = late.filter(({ kind }) => this.#kinds.ends(kind));
    // One that is not known to end, and has not, says that its kind does not.
    for (const { kind } of late) if (!this.#kinds.ends(kind)) this.#kinds.stays(kind);
    return hung;
  }

  lost(node: string): void {
    this.#waiting.lost(bare(node));
    for (const [key, open] of this.#open) if (open.node === bare(node)) this.#open.delete(key);
  }

  seen(node: string): void {
    this.#waiting.seen(bare(node));
  }

  #told(
    { key, pair, from, to, at: startedAt }: Begun,
    { at, seenAt, failure }: { readonly at: number; readonly seenAt: number; readonly failure?: string },
  ): RequestEvidence {
    const { isChanged } = this.#options;
    const side = isChanged(from) || isChanged(to) ? 'canary' : 'stable';
    const failed = failure !== undefined;
    return {
      kind: 'request',
      at,
      seenAt,
      side,
      failed,
      ...(failed && { failure }),
      latencyMs: at - startedAt,
      id: `${key} ${startedAt}`,
      pair,
    };
  }

  /** What began too early proves nothing; its pair is one with traffic all the same. What becomes of it is counted once it is known. */
  #count(begun: Begun, ...what: readonly Counted[]): void {
    const traffic = this.#of(begun);
    if (begun.proves) for (const one of what) traffic[one] += 1;
  }

  #of({ pair, kind }: Pick<Begun, 'pair' | 'kind'>) {
    const known = this.#traffic.get(pair);
    if (known) {
      known.ends ||= this.#kinds.ends(kind);
      return known;
    }
    const fresh = { begun: 0, answered: 0, lost: 0, ended: 0, whole: 0, drops: 0, ends: this.#kinds.ends(kind) };
    this.#traffic.set(pair, fresh);
    return fresh;
  }
}
