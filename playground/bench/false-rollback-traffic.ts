import type { Evidence, RequestEvidence } from '../../src/domain/judge/evidence.ts';
import type { Healthy } from './false-rollback-play.ts';
import type { Chance } from './judge-chance.ts';

/** One request that is under way. */
export interface Asked {
  readonly start: number;
  readonly due: number;
  readonly canary: boolean;
  readonly failed: boolean;
  readonly client: string;
  readonly cold: boolean;
  /** Attempts still to come if it fails. */
  readonly left: number;
}

/** Who decides what becomes of a request; left out: chance, by the cell's own shares. `at`: in ms from the start of the operation. */
export interface Draws {
  request(at: number, share: number, failing: { readonly canary: number; readonly stable: number }): { isCanary: boolean; failed: boolean };
  /** Is a connection that the canary's request opens dropped? */
  isDropped(at: number, share: number): boolean;
}

/** After the end of a watch everything is settled by then, whatever the limit for answers (ms). */
const LATEST_MS = 60_000;

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

/** What one watch hears of a healthy canary, in the order in which it comes. The judge keeps no event, so one object serves for all requests. */
export class HealthyTraffic {
  readonly #cell: Healthy;
  readonly #exposure: number;
  readonly #durationMs: number;
  readonly #from: number;
  readonly #chance: Chance;
  readonly #draws: Draws | undefined;
  /** By their due time. */
  readonly #open: Asked[] = [];
  readonly #denials: { at: number; readonly canary: boolean; readonly pod: string }[] = [];
  readonly #request: Mutable<RequestEvidence> = {
    kind: 'request',
    at: 0,
    seenAt: 0,
    side: 'canary',
    failed: false,
    latencyMs: 1,
    id: '',
    startedAt: 0,
    openMs: 0,
  };
  #nextDirect = Number.POSITIVE_INFINITY;
  #nextForeign = Number.POSITIVE_INFINITY;
  #connections = 0;
  #hidden = false;

  constructor(cell: Healthy, exposure: number, durationMs: number, from: number, chance: Chance, draws?: Draws) {
    this.#cell = cell;
    this.#exposure = exposure;
    this.#durationMs = durationMs;
    this.#from = from;
    this.#chance = chance;
    this.#draws = draws;
    const { denied, direct, foreign } = cell;
    if (direct) this.#nextDirect = (chance.exponential() * 1_000) / direct.rate(0);
    if (foreign) this.#nextForeign = (chance.exponential() * 1_000) / foreign;
    for (const side of ['canary', 'stable'] as const) {
      for (let pod = 0; pod < (denied?.[side] ?? 0); pod += 1)
        this.#denials.push({ at: chance.uniform() * (denied?.everyMs ?? 1), canary: side === 'canary', pod: `ns/${side}-${pod}` });
    }
  }

  /** True when `hear` ends it. */
  play(hear: (event: Evidence) => boolean): boolean {
    const { rate, connections } = this.#cell;
    const chance = this.#chance;
    if (this.#isPlain) return this.#playPlainly(hear);
    for (let ms = 0; ; ) {
      ms += (chance.exponential() * 1_000) / rate(ms);
      if (ms >= this.#durationMs) return this.#until(this.#durationMs, hear) || this.#end(hear);
      if (this.#until(ms, hear)) return true;
      const { isCanary, failed, isCold } = this.#draw(ms);
      if (this.#isLost(ms, hear)) continue;
      if (
        connections &&
        chance.uniform() < (isCanary ? connections.canary : connections.stable) &&
        (this.#draws && isCanary ? this.#draws.isDropped(this.#from + ms, connections.dropped) : chance.uniform() < connections.dropped)
      ) {
        if (hear(this.#dropped(ms, isCanary))) return true;
        continue;
      }
      if (this.#ask({ start: ms, isCanary, failed, cold: isCold }, hear)) return true;
    }
  }

  /** Every request is answered at once, and nothing else happens. */
  get #isPlain(): boolean {
    const { latency, retried, direct, denied, connections, foreign, cold, churn } = this.#cell;
    return !this.#draws && !latency && retried === undefined && !direct && !denied && !connections && !foreign && !cold && !churn;
  }

  /** The same draws as for any other, without a look at what does not happen: most cells are of this kind. */
  #playPlainly(hear: (event: Evidence) => boolean): boolean {
    const { rate, canary, stable, share } = this.#cell;
    const [chance, event, from] = [this.#chance, this.#request, this.#from];
    for (let ms = 0; ; ) {
      ms += (chance.exponential() * 1_000) / rate(ms);
      if (ms >= this.#durationMs) return this.#end(hear);
      const isCanary = chance.uniform() < (share ? share(ms, this.#exposure) : this.#exposure);
      event.side = isCanary ? 'canary' : 'stable';
      event.failed = chance.uniform() < (isCanary ? canary(ms) : stable(ms));
      event.at = from + (ms + 1);
      event.startedAt = from + ms;
      if (hear(event)) return true;
    }
  }

  #draw(ms: number): { readonly isCanary: boolean; readonly failed: boolean; readonly isCold: boolean } {
    const { canary, stable, share, cold } = this.#cell;
    const [chance, draws] = [this.#chance, this.#draws];
    const exposed = share ? share(ms, this.#exposure) : this.#exposure;
    if (draws) {
      const warmth = cold && { canary: cold(true, ms, chance), stable: cold(false, ms, chance) };
      const failing = { canary: warmth?.canary.failing ?? canary(ms), stable: warmth?.stable.failing ?? stable(ms) };
      const { isCanary, failed } = draws.request(this.#from + ms, exposed, failing);
      return { isCanary, failed, isCold: warmth?.[isCanary ? 'canary' : 'stable'].isCold === true };
    }
    const isCanary = chance.uniform() < exposed;
    const warmth = cold?.(isCanary, ms, chance);
    const failed = chance.uniform() < (warmth?.failing ?? (isCanary ? canary(ms) : stable(ms)));
    return { isCanary, failed, isCold: warmth?.isCold === true };
  }

  /** A watch waits for the answers to what began in it, and for nothing that comes late. */
  #end(hear: (event: Evidence) => boolean): boolean {
    for (let first = this.#open.shift(); first; first = this.#open.shift()) if (this.#answer(first, true, hear)) return true;
    return hear({ kind: 'tick', at: this.#from + this.#durationMs + LATEST_MS });
  }

  #ask(
    { start, isCanary, failed, cold }: { start: number; isCanary: boolean; failed: boolean; cold: boolean },
    hear: (event: Evidence) => boolean,
  ): boolean {
    const { latency, retried } = this.#cell;
    const latencyMs = latency?.({ canary: isCanary, failed }, this.#chance) ?? 1;
    const client = retried === undefined || !failed ? '' : `client-${Math.floor(this.#chance.uniform() * 5_000)}`;
    const asked = { start, due: start + latencyMs, canary: isCanary, failed, client, cold, left: retried === undefined ? 0 : 3 };
    if (latencyMs <= 1) return this.#answer(asked, false, hear);
    this.#wait(asked);
    return isCanary && hear({ kind: 'asked', at: this.#from + start, seenAt: this.#from + start });
  }

  #wait(asked: Asked): void {
    let place = this.#open.length;
    while (place > 0 && (this.#open[place - 1]?.due ?? 0) > asked.due) place -= 1;
    this.#open.splice(place, 0, asked);
  }

  /** What comes before `ms`. */
  #until(ms: number, hear: (event: Evidence) => boolean): boolean {
    for (let first = this.#open[0]; first && first.due <= ms; first = this.#open[0]) {
      this.#open.shift();
      if (this.#answer(first, true, hear)) return true;
    }
    return this.#directUntil(ms, hear) || this.#deniedUntil(ms, hear);
  }

  #answer(asked: Asked, wasOpen: boolean, hear: (event: Evidence) => boolean): boolean {
    const { start, due, canary, failed, client, cold, left } = asked;
    const event = this.#request;
    event.at = this.#from + due;
    event.startedAt = this.#from + start;
    event.side = canary ? 'canary' : 'stable';
    event.failed = failed;
    event.openMs = this.#open.length === 0 ? 0 : Math.max(0, due - this.#open.reduce((oldest, open) => Math.min(oldest, open.start), due));
    // Members that come and go would make the one object slow for every other request.
    const isPlain = !(wasOpen && canary) && !cold && client === '';
    const more = isPlain
      ? undefined
      : { ...(wasOpen && canary && { asked: true as const }), ...(cold && { cold: true as const }), ...(client !== '' && { client }) };
    const ended = hear(more ? { ...event, ...more } : event);
    if (!ended && failed && left > 0 && client !== '') this.#again(asked);
    return ended;
  }

  #again({ due, client, left }: Asked): void {
    const canary = this.#chance.uniform() < this.#exposure;
    const failed = this.#chance.uniform() < (this.#cell.retried ?? 0);
    this.#wait({ start: due + 99, due: due + 100, canary, failed, client, cold: false, left: left - 1 });
  }

  #directUntil(ms: number, hear: (event: Evidence) => boolean): boolean {
    const { direct, foreign } = this.#cell;
    while (direct && this.#nextDirect <= ms) {
      const at = this.#from + this.#nextDirect;
      this.#nextDirect += (this.#chance.exponential() * 1_000) / direct.rate(this.#nextDirect);
      const failed = this.#chance.uniform() < direct.failing;
      if (hear({ kind: 'request', at, seenAt: at, side: 'stable', failed, latencyMs: 1, openMs: 0, id: '', unsplit: true })) return true;
    }
    while (foreign && this.#nextForeign <= ms) {
      const at = this.#from + this.#nextForeign;
      this.#nextForeign += (this.#chance.exponential() * 1_000) / foreign;
      if (hear({ kind: 'trouble', at, seenAt: at, words: '503 of the gateway, from no pod' })) return true;
    }
    return false;
  }

  #deniedUntil(ms: number, hear: (event: Evidence) => boolean): boolean {
    const { denied } = this.#cell;
    if (!denied) return false;
    const due = this.#denials.filter(({ at }) => at <= ms).toSorted((a, b) => a.at - b.at);
    for (const denial of due) {
      const at = this.#from + denial.at;
      denial.at += denied.everyMs * (denied.isRandom ? this.#chance.exponential() : 0.9 + 0.2 * this.#chance.uniform());
      const peer = `203.0.113.${Math.floor(this.#chance.uniform() * denied.peers)}`;
      const ends = { source: denial.pod, destination: peer, port: 443, peer };
      if (hear({ kind: 'drop', at, seenAt: at, side: denial.canary ? 'canary' : 'stable', ...ends, reason: 'POLICY_DENIED', id: '' }))
        return true;
    }
    return false;
  }

  #dropped(ms: number, canary: boolean): Evidence {
    this.#connections += 1;
    const at = this.#from + ms;
    const way = {
      source: 'ingress',
      destination: `ns/${canary ? 'canary' : 'stable'}`,
      port: 8080,
      reason: 'POLICY_DENIED',
      peer: 'ingress',
    };
    return { kind: 'drop', at, seenAt: at, side: canary ? 'canary' : 'stable', ...way, id: String(this.#connections), connection: true };
  }

  /** While a node is away its gateway's records are missing: of every request that went through it, whoever answered. */
  #isLost(ms: number, hear: (event: Evidence) => boolean): boolean {
    const { churn } = this.#cell;
    if (!churn) return false;
    const hidden = ms % churn.everyMs > churn.everyMs - churn.ms;
    if (hidden !== this.#hidden) {
      this.#hidden = hidden;
      const at = this.#from + ms;
      hear(hidden ? { kind: 'gap', at, node: 'node-1', reason: 'stream ended' } : { kind: 'sight', at, node: 'node-1' });
    }
    return hidden && this.#chance.uniform() < churn.share;
  }
}
