import * as z from 'zod';
import type { Evidence, RequestEvidence } from '../evidence.ts';
import type { JsonObject } from '../json.ts';
import type { Counts, Harmful, Verdict } from '../verdict.ts';
import { alternatives, createEvidence } from './eprocess.ts';
import type { Judge, JudgeSettings } from './judge.ts';
import { createSight } from './sight.ts';
import { boundWords, countWords, oddsWords, percent } from './words.ts';

type Drift = Extract<Verdict, { kind: 'drift' }>;

const Side = z.object({ requests: z.number(), failures: z.number() });
const Snapshot = z.object({
  version: z.literal(1),
  evidence: z.object({ sums: z.array(z.number()), remaining: z.number(), runs: z.array(z.number()), since: z.array(z.number()) }),
  gaps: z.record(z.string(), z.object({ at: z.number(), reason: z.string(), lost: z.number(), told: z.boolean() })),
  clock: z.number(),
  released: z.number(),
  canary: Side,
  stable: Side,
  /** A verdict that stands: what came after it does not change it. */
  settled: z.custom<Harmful | Drift>((value) => typeof value === 'object' && value !== null && 'kind' in value).nullable(),
});

/**
 * The judge of one watch. `resumed` is a snapshot of the same watch's judge; it goes on exactly where that one was. One that does not
 * fit (another version, another objective) is not used: then the watch begins anew.
 *
 * Harmful and drift stand once they are reached. Blind is news, told once for each gap: evidence is still heard, since what is seen of a
 * failing canary stays true however much is not seen.
 */
export function createJudge(settings: JudgeSettings, resumed?: JsonObject): Judge {
  const parsed = Snapshot.safeParse(resumed);
  const fits = parsed.success && parsed.data.evidence.sums.length === alternatives(settings.objective).length;
  return new EventJudge(settings, fits ? parsed.data : undefined);
}

class EventJudge implements Judge {
  readonly #settings: JudgeSettings;
  readonly #logThreshold: number;
  readonly #evidence;
  readonly #sight;
  readonly #canary: { requests: number; failures: number };
  readonly #stable: { requests: number; failures: number };
  /** Latest event time heard, and up to when prior mass has been handed out. */
  #clock: number;
  #released: number;
  #settled: Harmful | Drift | undefined;

  constructor(settings: JudgeSettings, from: z.infer<typeof Snapshot> | undefined) {
    this.#settings = settings;
    this.#logThreshold = -Math.log(settings.alpha);
    this.#evidence = createEvidence(settings.objective, from?.evidence);
    this.#sight = createSight(from?.gaps);
    this.#canary = { ...(from?.canary ?? { requests: 0, failures: 0 }) };
    this.#stable = { ...(from?.stable ?? { requests: 0, failures: 0 }) };
    this.#clock = from?.clock ?? settings.startedAt;
    this.#released = from?.released ?? settings.startedAt;
    this.#settled = from?.settled ?? undefined;
  }

  get counts(): Counts {
    return { canary: { ...this.#canary }, stable: { ...this.#stable } };
  }

  hear(event: Evidence): Verdict | undefined {
    if (this.#settled) return this.#settled;
    const verdict = this.#take(event);
    if (event.at > this.#clock) this.#clock = event.at;
    if (verdict) {
      this.#settled = verdict;
      return verdict;
    }
    const reason = this.#sight.news(this.#clock);
    return reason === undefined ? undefined : this.#blind(reason);
  }

  #take(event: Evidence): Harmful | Drift | undefined {
    switch (event.kind) {
      case 'request':
        return this.#request(event);
      case 'readiness':
        return this.#readiness(event.service, event.ready, event.at);
      case 'gap':
        this.#sight.gap(event.node, event.at, event.reason, event.lost ?? 0);
        return undefined;
      case 'sight':
        this.#sight.sight(event.node);
        return undefined;
      case 'drift':
        return this.#drift(event);
      case 'tick':
        return undefined;
    }
  }

  #request({ side, failed, at }: RequestEvidence): Harmful | undefined {
    const count = side === 'canary' ? this.#canary : this.#stable;
    count.requests += 1;
    if (failed) count.failures += 1;
    if (side === 'stable') return undefined;
    // The clock stands at what was heard before this event, so the mass is known before its outcome.
    const mass = (this.#clock - this.#released) / Math.max(1, this.#settings.durationMs);
    this.#released = this.#clock;
    this.#evidence.add(mass, failed, at);
    if (!failed) return undefined;
    const logEvidence = this.#evidence.log();
    if (!(logEvidence >= this.#logThreshold)) return undefined;
    const odds = `evidence ${oddsWords(logEvidence)} to 1, needed ${oddsWords(this.#logThreshold)}`;
    const words = `${countWords(this.counts)}. That is more than the ${percent(this.#settings.objective)} allowed (${odds}).`;
    return this.#harmful('objective', this.#evidence.firstHarmAt() ?? at, at, words);
  }

  #readiness(service: string, ready: number, at: number): Harmful | undefined {
    const { canaryService, exposure } = this.#settings;
    if (service !== canaryService || ready > 0 || exposure === 0) return undefined;
    return this.#harmful(
      'readiness',
      at,
      at,
      `${service} has no ready endpoint left, so every request sent to it fails. ${countWords(this.counts)}.`,
    );
  }

  #harmful(judge: Harmful['judge'], firstHarmAt: number, decidedAt: number, words: string): Harmful {
    const logEvidence = this.#evidence.log();
    return { kind: 'harmful', judge, counts: this.counts, firstHarmAt, decidedAt, logEvidence, logThreshold: this.#logThreshold, words };
  }

  #drift({ object, field, manager, found }: Extract<Evidence, { kind: 'drift' }>): Drift {
    const words = `${manager || 'Somebody else'} changed ${field} of ${object} to ${found} while this was watched.`;
    return { kind: 'drift', counts: this.counts, object, field, manager, words };
  }

  #blind(reason: string, words = `${reason}: failures could be missed. ${countWords(this.counts)}.`): Verdict {
    return { kind: 'blind', counts: this.counts, reason, words };
  }

  conclude(at: number): Verdict {
    if (this.#settled) return this.#settled;
    const { objective, exposure } = this.#settings;
    const reason = this.#sight.blind(Math.max(at, this.#clock));
    if (reason !== undefined) return this.#blind(reason);
    const { counts } = this;
    const { requests, failures } = counts.canary;
    const needed = exposure === 0 ? 0 : this.#settings.minRequests;
    if (requests < needed) {
      const words = `${countWords(counts)}. That is too little to tell: ${needed} requests are needed.`;
      return { kind: 'no-traffic', counts, needed, words };
    }
    if (failures <= objective * requests) {
      const bound = requests === 0 ? '' : ` and ${boundWords(counts)}`;
      return { kind: 'healthy', counts, words: `${countWords(counts)}. That is within the ${percent(objective)} allowed${bound}.` };
    }
    // There was traffic and it was seen, yet it proves nothing either way: the evidence is incomplete, so people choose.
    const words = `${countWords(counts)}. That is above the ${percent(objective)} allowed, but too little to prove harm. Watch longer, or roll back.`;
    return this.#blind('undecided', words);
  }

  snapshot(): JsonObject {
    return {
      version: 1,
      evidence: { ...this.#evidence.snapshot() },
      gaps: Object.fromEntries(Object.entries(this.#sight.snapshot()).map(([node, gap]) => [node, { ...gap }])),
      clock: this.#clock,
      released: this.#released,
      canary: { ...this.#canary },
      stable: { ...this.#stable },
      settled: this.#settled
        ? { ...this.#settled, counts: { canary: { ...this.#settled.counts.canary }, stable: { ...this.#settled.counts.stable } } }
        : null,
    };
  }
}
