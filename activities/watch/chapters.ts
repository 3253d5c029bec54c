import * as z from 'zod';
import type { JsonObject } from '../../src/domain/json.ts';
import { type Evidence, isWeighed } from '../../src/domain/judge/evidence.ts';
import type { Judge } from '../../src/domain/judge/judge.ts';
import { CHANGED, type Counts, NO_COUNTS, REST, type SideCounts, sumOf, type Verdict } from '../../src/domain/judge/verdict.ts';

/** One judge of a guard. `end`: it hears no more. */
export interface Chapter {
  readonly judge: Judge;
  end(): void;
}

interface ChaptersOptions {
  /** From 1. `spent`: failures above the objective that the chapters before it have counted. */
  readonly begin: (number: number, startedAt: number, spent: number, resumed?: JsonObject) => Chapter;
  readonly lengthMs: number;
  readonly startedAt: number;
  readonly objective: number;
}

const Side = z.object({ requests: z.number(), failures: z.number(), synthetic: z.number().exactOptional() });
const Shape = z.object({
  chapter: z.number().int().min(1),
  startedAt: z.number(),
  weighed: z.boolean(),
  spent: z.number(),
  [CHANGED]: Side,
  [REST]: Side,
  judge: z.custom<JsonObject>((value) => typeof value === 'object' && value !== null),
});

/** Failures above objective x requests; fewer give nothing back. */
export function excess({ requests, failures }: SideCounts, objective: number): number {
  return Math.max(0, failures - objective * requests);
}

/**
 * The judges of a guard, one after the other: a judge plans with a length, and one that has seen days of health would notice harm late.
 * The n-th takes its share of the guard's alpha; a chapter in which nothing was heard spends none.
 */
export class Chapters implements Judge {
  readonly #options: ChaptersOptions;
  readonly #gaps = new Map<string, Evidence>();
  #chapter: Chapter;
  #number = 1;
  #startedAt: number;
  #weighed = false;
  #spent = 0;
  /** Of the chapters that are over. */
  #before: Counts = NO_COUNTS;

  constructor(options: ChaptersOptions, resumed?: JsonObject) {
    this.#options = options;
    this.#startedAt = options.startedAt;
    const before = Shape.safeParse(resumed).data;
    if (before) {
      [this.#number, this.#startedAt, this.#weighed, this.#spent] = [before.chapter, before.startedAt, before.weighed, before.spent];
      this.#before = { [CHANGED]: before[CHANGED], [REST]: before[REST] };
    }
    this.#chapter = options.begin(this.#number, this.#startedAt, this.#spent, before?.judge);
  }

  get counts(): Counts {
    return sumOf(this.#before, this.#chapter.judge.counts);
  }

  /** Failures above the objective in all chapters. */
  get spent(): number {
    return this.#spent + excess(this.#chapter.judge.counts[CHANGED], this.#options.objective);
  }

  hear(event: Evidence): Verdict | undefined {
    if (event.kind === 'gap') this.#gaps.set(event.node, event);
    if (event.kind === 'sight') this.#gaps.delete(event.node);
    if (event.at - this.#startedAt >= this.#options.lengthMs) this.#turn(event.at);
    this.#weighed ||= isWeighed(event);
    return this.#chapter.judge.hear(event);
  }

  #turn(at: number): void {
    const { counts } = this;
    this.#spent = this.spent;
    this.#before = counts;
    if (this.#weighed) this.#number += 1;
    this.#weighed = false;
    this.#startedAt = at;
    this.#chapter.end();
    this.#chapter = this.#options.begin(this.#number, at, this.#spent);
    // Whoever cannot be seen now says so once only.
    for (const gap of this.#gaps.values()) this.#chapter.judge.hear(gap);
  }

  conclude(at: number): Verdict {
    return this.#chapter.judge.conclude(at);
  }

  pending(at: number): string | undefined {
    return this.#chapter.judge.pending?.(at);
  }

  end(): void {
    this.#chapter.end();
  }

  snapshot(): JsonObject {
    return {
      chapter: this.#number,
      startedAt: this.#startedAt,
      weighed: this.#weighed,
      spent: this.#spent,
      [CHANGED]: { ...this.#before[CHANGED] },
      [REST]: { ...this.#before[REST] },
      judge: this.#chapter.judge.snapshot(),
    };
  }
}
