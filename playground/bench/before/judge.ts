import type { Evidence, RequestEvidence } from '../../../src/domain/judge/evidence.ts';
import { Retries } from '../../../src/domain/judge/retries.ts';
import { Drops } from './drops.ts';
import { createEvidence, type Evidences } from './eprocess.ts';
import { type Panel, panelOf } from './panel.ts';
import { RelativeEvidence } from './relative.ts';
import type { BeforeSettings } from './settings.ts';

/** Which of its judges has spoken, and when (event time). */
export interface BeforeHarm {
  readonly judge: 'objective' | 'relative' | 'drops';
  readonly at: number;
}

/**
 * The statistics of the judge before this one, for comparison side by side: a fresh test in each watch at a share of alpha, split over three
 * judges; answers in the order they come; every request of a stable pod as control; drops against the share of requests.
 */
export class JudgeBefore {
  readonly #settings: BeforeSettings;
  readonly #panel: Panel;
  readonly #objective: Evidences;
  readonly #relative: RelativeEvidence | undefined;
  readonly #drops: Drops | undefined;
  readonly #retries = new Retries();
  #clock: number;
  #released: number;

  constructor(settings: BeforeSettings) {
    const { startedAt, durationMs, exposure = 0.5 } = settings;
    this.#settings = settings;
    this.#panel = panelOf(settings);
    this.#objective = createEvidence(this.#panel.objective ?? settings.objective);
    if (this.#panel.alpha.relative > 0) this.#relative = new RelativeEvidence({ startedAt, durationMs, share: exposure });
    if (this.#panel.alpha.drops > 0) this.#drops = new Drops(settings, this.#panel.alpha.drops, this.#panel.control);
    this.#clock = startedAt;
    this.#released = startedAt;
  }

  hear(event: Evidence): BeforeHarm | undefined {
    const { at } = event;
    const time = at > this.#clock ? at : this.#clock;
    const judge = this.#pass(at, time) ?? this.#take(event);
    this.#clock = time;
    return judge && { judge, at };
  }

  #pass(at: number, time: number): BeforeHarm['judge'] | undefined {
    if (this.#relative?.pass(at, time) && this.#relative.value() >= this.#panel.needed.relative) return 'relative';
    return this.#drops?.pass(at, time) && this.#drops.reached ? 'drops' : undefined;
  }

  #take(event: Evidence): BeforeHarm['judge'] | undefined {
    if (event.kind === 'request') return this.#request(event);
    if (event.kind === 'trouble') this.#drops?.trouble(event.words, Math.max(event.at, this.#clock));
    if (event.kind === 'drop' && this.#drops?.drop(event, this.#clock) && this.#drops.reached) return 'drops';
    return undefined;
  }

  #request(event: RequestEvidence): BeforeHarm['judge'] | undefined {
    const { side, failed, at } = event;
    const counted = !failed || this.#retries.known(event) === undefined;
    if (side === 'canary' && this.#panel.objective !== undefined) {
      const mass = (this.#clock - this.#released) / Math.max(1, this.#settings.durationMs);
      this.#released = this.#clock;
      if (counted) this.#objective.add(mass, failed, at);
      else this.#objective.release(mass);
      if (failed && this.#objective.value() >= this.#panel.needed.objective) return 'objective';
    }
    if (!counted) return undefined;
    this.#relative?.add(side === 'canary', failed, at, this.#clock);
    this.#drops?.request(side === 'canary', at, this.#clock);
    return this.#drops?.reached ? 'drops' : undefined;
  }
}
