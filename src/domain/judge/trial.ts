import type { JsonObject } from '../json.ts';
import { type Block, Blocks } from './blocks.ts';
import type { DropEvidence, RequestEvidence } from './evidence.ts';
import type { JudgeSettings } from './judge.ts';
import { Carried, type Snapshot } from './snapshot.ts';
import type { Terms } from './terms.ts';
import { Total } from './total.ts';
import { CHANGED, type Counts } from './verdict.ts';

/** The statistical part of one watch: the operation's evidence, and the blocks that are under way. */
export class Trial {
  readonly total: Total;
  readonly #blocks: Blocks;
  /** Something is asked of blocks. */
  readonly #moves: boolean;
  /** Latest event time of the traffic. What ticks tell may be ahead of records that are under way. */
  #clock: number;
  /**
   * Blocks that end later are not taken (event time). Which of the last ones are settled when a watch ends depends on how quickly their requests
   * are answered: to take those that happen to be would choose among outcomes. So the end is planned, and waited for (`pending`).
   */
  readonly #endsAt: number;
  /** Requests and failures of the operation's watches before this one. */
  readonly earlier: Counts | undefined;

  constructor(settings: JudgeSettings, terms: Terms, from: Snapshot | undefined, carried: JsonObject | undefined) {
    const { startedAt, durationMs, exposure = 0.5, lateMs = 0, stage = 1, watch = 1 } = settings;
    const planned = settings.planned ?? { watches: 1, ms: durationMs };
    const parsed = Carried.safeParse(carried);
    // What cannot be read was heard all the same.
    const before: Carried | undefined = parsed.success ? parsed.data : carried && { version: 2, lost: true };
    this.#moves = terms.compared || terms.share > 0;
    this.total = new Total({ objective: settings.objective, planned }, terms, from?.total ?? before?.total);
    this.earlier = from ? from.earlier : before?.counts;
    if (!from) {
      // A watch that is lost with nothing before it has had its part too.
      if (before?.lost && !before.total) this.total.begin(startedAt, 1, stage);
      if (before?.lost) this.total.forget();
      this.total.begin(startedAt, watch === 'guard' ? undefined : watch, stage);
    }
    this.#clock = from?.traffic ?? startedAt;
    this.#endsAt = watch === 'guard' ? Number.POSITIVE_INFINITY : startedAt + durationMs;
    this.#blocks = new Blocks({ startedAt, share: exposure, lateMs }, from?.blocks);
  }

  /** Before each event, with its time. `isTraffic`: no time that is known here, but one of the traffic itself. True: harm. */
  pass(at: number, isTraffic: boolean): boolean {
    const clock = Math.max(this.#clock, isTraffic ? at : at - UNDER_WAY_MS);
    if (clock < this.#blocks.due) return false;
    this.#blocks.pass(clock, this.total.objective());
    for (let block = this.#blocks.settled(clock); block; block = this.#blocks.settled(clock)) {
      if (block.to <= this.#endsAt && this.total.take(block)) return true;
    }
    return false;
  }

  /** The planned end is over at `at`, and requests that began before it may still be open. */
  isOpen(at: number): boolean {
    return at >= this.#endsAt && this.#moves && !this.#blocks.isSettled(this.#endsAt, Math.max(this.#clock, at - UNDER_WAY_MS));
  }

  ask(at: number): void {
    this.total.ask(this.#clock);
    this.#clock = Math.max(this.#clock, at);
  }

  /**
   * A request that is counted; `hidden`: some node is out of sight. `isTwin`: it failed beside another one of the same client that has failed, so it
   * is only compared. True: harm.
   */
  request(event: RequestEvidence, hidden: boolean, isTwin = false): boolean {
    const { at, openMs } = event;
    const start = event.startedAt ?? at - event.latencyMs;
    const harm = event.side === CHANGED && !isTwin && this.#hear(event, start);
    this.#clock = Math.max(this.#clock, at);
    if (openMs !== undefined) this.#blocks.open(openMs === 0 ? Number.POSITIVE_INFINITY : at - openMs);
    if (this.#moves && !event.unsplit) {
      const block = this.#blocks.at(start, hidden);
      if (block) put(block, event);
    }
    return harm;
  }

  #hear({ failed, asked, at, earlyMs = 0 }: RequestEvidence, start: number): boolean {
    if (failed) return this.total.fail({ start: start - earlyMs, asked: asked === true, at }, this.#clock);
    this.total.succeed(asked === true, this.#clock);
    return false;
  }

  /** A connection to the canary that no request can use: to the objective only, since a cold canary opens more of them than its control. */
  connection({ at, startedAt = at }: DropEvidence): boolean {
    return this.total.fail({ start: startedAt, asked: false, at }, this.#clock);
  }

  hide(): void {
    this.#blocks.hide();
  }

  carry(counts: Counts): JsonObject {
    const { canary, stable } = this.earlier ?? NONE;
    const all = { canary: added(canary, counts.canary), stable: added(stable, counts.stable) };
    return { version: 2, total: this.total.snapshot(), counts: all } as unknown as JsonObject;
  }

  snapshot(): Pick<Snapshot, 'total' | 'blocks' | 'earlier' | 'traffic'> {
    return {
      total: this.total.snapshot(),
      blocks: this.#blocks.snapshot(),
      traffic: this.#clock,
      ...(this.earlier && { earlier: this.earlier }),
    };
  }
}

/** Records of requests come at most so late while nobody is out of sight (ms of event time). */
const UNDER_WAY_MS = 2_000;

const NONE: Counts = { canary: { requests: 0, failures: 0 }, stable: { requests: 0, failures: 0 } };

function added(a: Counts['canary'], b: Counts['canary']): Counts['canary'] {
  return { requests: a.requests + b.requests, failures: a.failures + b.failures };
}

function put(block: Block, { side, failed, cold, at }: RequestEvidence): void {
  const canary = side === CHANGED;
  block.answered += 1;
  if (canary) block.reached += 1;
  if (cold) return;
  block.events += 1;
  if (canary) block.canary += 1;
  if (!failed) return;
  block.failures += 1;
  if (!canary) return;
  block.canaryFailures += 1;
  if (block.harmAt === -1) block.harmAt = at;
}
