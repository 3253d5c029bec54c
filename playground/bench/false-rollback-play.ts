import type { DropEvidence, RequestEvidence } from '../../src/domain/evidence.ts';
import { alphaFor } from '../../src/domain/judge/alpha.ts';
import { createJudge } from '../../src/domain/judge/create.ts';
import type { JudgeSettings } from '../../src/domain/judge/judge.ts';
import type { Harmful } from '../../src/domain/verdict.ts';
import { type Chance, chanceFrom } from './judge-chance.ts';

/** One operation with a healthy canary: its stages, and the traffic of each. Times in ms from the start of a watch. */
export interface Healthy {
  /** Share exposed in each watch; the last one is the afterwatch. */
  readonly exposures: readonly number[];
  readonly watchMs: readonly number[];
  /** Requests a second, both sides together. */
  readonly rate: (ms: number) => number;
  /** Failure probability of each side. Healthy: the canary's is within the objective, and not above the control's. */
  readonly canary: (ms: number) => number;
  readonly stable: (ms: number) => number;
  readonly settings?: Partial<JudgeSettings>;
  /** Share of requests that the canary really gets; that of the stage unless told. */
  readonly share?: (ms: number, exposure: number) => number;
  /** A failure is answered so much later. */
  readonly slowMs?: number;
  /** Failed requests are tried again by the same client, 100 ms apart, up to three times, and fail again with this probability. */
  readonly retried?: number;
  /** Drops a second around both sides together, from so many peers. */
  readonly drops?: { readonly perSecond: number; readonly peers: number };
  /** Drop groups in the time before the operation are as many as chance gives at that rate in so many ms. */
  readonly droppedBeforeMs?: number;
  /** Only the judge that the settings name, with the whole of alpha: drops are not judged. */
  readonly alone?: boolean;
}

interface Pending {
  readonly due: number;
  readonly side: 'canary' | 'stable';
  readonly failed: boolean;
  readonly client: string;
  /** Attempts still to come if it fails. */
  readonly left: number;
}

/** Plays one operation; the verdict that would have rolled it back, or undefined. The same seed is the same traffic whatever alpha is. */
export function playHealthy(cell: Healthy, alpha: number, seed: number): Harmful | undefined {
  const chance = chanceFrom(seed);
  for (let index = 0; index < cell.exposures.length; index += 1) {
    const exposure = cell.exposures[index] ?? 1;
    const found = new Watch(cell, exposure, cell.watchMs[index] ?? 0, alphaFor(alpha, index + 1), chance).play();
    if (found) return found;
  }
  return undefined;
}

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

/** One watch. The judge keeps no event, so one object serves for all. */
class Watch {
  readonly #cell: Healthy;
  readonly #exposure: number;
  readonly #durationMs: number;
  readonly #chance: Chance;
  readonly #judge;
  readonly #pending: Pending[] = [];
  readonly #request: Mutable<RequestEvidence> = { kind: 'request', at: 0, seenAt: 0, side: 'canary', failed: false, latencyMs: 1, id: '' };
  #nextDrop = Number.POSITIVE_INFINITY;

  constructor(cell: Healthy, exposure: number, durationMs: number, alpha: number, chance: Chance) {
    this.#cell = cell;
    this.#exposure = exposure;
    this.#durationMs = durationMs;
    this.#chance = chance;
    const { drops, droppedBeforeMs } = cell;
    const common = { objective: 0.01, alpha, durationMs, startedAt: 0, minRequests: 50, canaryService: 'canary', exposure };
    const before = droppedBeforeMs && drops ? { groups: this.#groupsIn(droppedBeforeMs), ms: droppedBeforeMs } : undefined;
    // As the product does: drops are judged wherever there is a control, or it is known how many there were before.
    const judged = !cell.alone && (exposure < 1 || before !== undefined);
    this.#judge = createJudge({ ...common, ...(judged && { drops: before ? { before } : {} }), ...cell.settings });
    if (drops) this.#nextDrop = (chance.exponential() * 1_000) / drops.perSecond;
  }

  /** Groups as they are counted: once a peer in 10 s. */
  #groupsIn(ms: number): number {
    const { perSecond = 0, peers = 1 } = this.#cell.drops ?? {};
    const chanceOfOne = -Math.expm1((-perSecond * 10) / peers);
    let groups = 0;
    for (let slot = 0; slot < (ms / 10_000) * peers; slot += 1) if (this.#chance.uniform() < chanceOfOne) groups += 1;
    return groups;
  }

  play(): Harmful | undefined {
    const { rate, canary, stable, share, slowMs = 0, retried } = this.#cell;
    const chance = this.#chance;
    for (let ms = 0; ; ) {
      ms += (chance.exponential() * 1_000) / rate(ms);
      if (ms >= this.#durationMs) return undefined;
      const late = this.#due(ms) ?? this.#dropsUntil(ms);
      if (late) return late;
      const side = chance.uniform() < (share ? share(ms, this.#exposure) : this.#exposure) ? 'canary' : 'stable';
      const failed = chance.uniform() < (side === 'canary' ? canary(ms) : stable(ms));
      const client = retried === undefined || !failed ? '' : `client-${Math.floor(chance.uniform() * 5_000)}`;
      const left = retried === undefined ? 0 : 3;
      const found =
        failed && slowMs > 0 ? this.#wait({ due: ms + slowMs, side, failed, client, left }) : this.#answer(ms, side, failed, client, left);
      if (found) return found;
    }
  }

  #wait(pending: Pending): undefined {
    const { due } = pending;
    let place = this.#pending.length;
    while (place > 0 && (this.#pending[place - 1]?.due ?? 0) > due) place -= 1;
    this.#pending.splice(place, 0, pending);
  }

  #due(ms: number): Harmful | undefined {
    for (let first = this.#pending[0]; first && first.due <= ms; first = this.#pending[0]) {
      this.#pending.shift();
      const found = this.#answer(first.due, first.side, first.failed, first.client, first.left);
      if (found) return found;
    }
    return undefined;
  }

  #answer(ms: number, side: 'canary' | 'stable', failed: boolean, client: string, left: number): Harmful | undefined {
    const event = this.#request;
    event.at = ms;
    event.side = side;
    event.failed = failed;
    if (client !== '') event.client = client;
    const verdict = this.#judge.hear(event);
    delete event.client;
    if (verdict?.kind === 'harmful') return verdict;
    if (failed && left > 0) {
      const again = this.#chance.uniform() < this.#exposure ? 'canary' : 'stable';
      this.#wait({ due: ms + 100, side: again, failed: this.#chance.uniform() < (this.#cell.retried ?? 0), client, left: left - 1 });
    }
    return undefined;
  }

  #dropsUntil(ms: number): Harmful | undefined {
    const { drops } = this.#cell;
    while (drops && this.#nextDrop <= ms) {
      const at = this.#nextDrop;
      this.#nextDrop += (this.#chance.exponential() * 1_000) / drops.perSecond;
      const side = this.#chance.uniform() < this.#exposure ? 'canary' : 'stable';
      const peer = `peer-${Math.floor(this.#chance.uniform() * drops.peers)}`;
      const event: DropEvidence = {
        kind: 'drop',
        at,
        seenAt: at,
        side,
        source: peer,
        destination: 'app',
        port: 80,
        reason: 'CT',
        id: '',
        peer,
      };
      const verdict = this.#judge.hear(event);
      if (verdict?.kind === 'harmful') return verdict;
    }
    return undefined;
  }
}
