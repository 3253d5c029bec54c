import { BLIND_AFTER_MS } from '../../domain/judge/sight.ts';
import type { OwnDelay } from './own-delay.ts';
import type { StreamListener } from './stream-listener.ts';

/** A record that arrives later than this says too little about now, and so does one from a clock that is so much ahead (ms). */
export const LATE_MS = 2_000;
/** Records that are late because this process is: nothing of them is lost, and they are judged when it has caught up; less than what a watch may take beyond its time (ms). */
const CATCH_UP_WITHIN_MS = 45_000;
/** This share of its time away makes a process busy. */
const BUSY = 0.2;
const TELL_EVERY_MS = 500;

interface Late {
  readonly since: number;
  /** Since when it is not this process' own doing. */
  readonly notOurs: number | undefined;
  readonly told: number;
}

/** Which nodes' records arrive late, and whose doing that is: an agent that is late is soon out of sight, a busy process catches up. */
export class Lateness {
  readonly #late = new Map<string, Late>();
  readonly #listener: StreamListener;
  readonly #ownDelay: Pick<OwnDelay, 'within'> | undefined;

  constructor(listener: StreamListener, ownDelay: Pick<OwnDelay, 'within'> | undefined) {
    this.#listener = listener;
    this.#ownDelay = ownDelay;
  }

  has(node: string): boolean {
    return this.#late.has(node);
  }

  /** A record of an event at `at` has arrived at `seenAt` (epoch ms). */
  heard(node: string, at: number, seenAt: number): void {
    const lag = seenAt - at;
    if (Math.abs(lag) > LATE_MS) this.#tell(node, lag, seenAt);
    else if (this.#late.delete(node)) this.#listener.sight(node, seenAt);
  }

  /** Told anew while it lasts, since whose doing it is may change. */
  #tell(node: string, lag: number, seenAt: number): void {
    const before = this.#late.get(node);
    if (before && seenAt - before.told < TELL_EVERY_MS) return;
    const isOurs = lag > 0 && (this.#ownDelay?.within(lag) ?? 0) > BUSY * lag;
    const since = before?.since ?? seenAt;
    const notOurs = isOurs ? undefined : (before?.notOurs ?? seenAt);
    this.#late.set(node, { since, notOurs, told: seenAt });
    const reason = reasonOf(lag, isOurs);
    const patienceMs = notOurs === undefined ? CATCH_UP_WITHIN_MS : notOurs - since + BLIND_AFTER_MS;
    this.#listener.gap(node, since, reason, undefined, patienceMs);
  }
}

function reasonOf(lag: number, isOurs: boolean): string {
  const seconds = (Math.abs(lag) / 1_000).toFixed(1);
  if (lag < 0) return `its clock is ${seconds} s ahead: how late its records are cannot be told`;
  return isOurs ? `this process is busy and ${seconds} s behind` : `late: records arrive ${seconds} s after the event`;
}
