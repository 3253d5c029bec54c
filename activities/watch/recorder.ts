import type { JsonObject } from '../../src/domain/json.ts';
import type { Evidence } from '../../src/domain/judge/evidence.ts';
import type { Judge, JudgeSettings } from '../../src/domain/judge/judge.ts';
import { writeBegin, writeEvent } from '../../src/domain/judge/record.ts';
import type { Counts, Verdict } from '../../src/domain/judge/verdict.ts';
import type { Log } from '../../src/log.ts';
import type { WatchRecord, WatchRecords } from '../../src/ports.ts';

/** Characters that all watches of this process hold at once, and the least and the most of one of them. */
const ALL = 64 * 2 ** 20;
const LEAST = 32 * 2 ** 10;
const MOST = 8 * 2 ** 20;

/** What is known of a watch apart from what its judge heard. */
export type About = Omit<WatchRecord, 'text' | 'events'>;

/** A watch whose judge is written down as it hears. */
export interface Recording {
  /** The same judge; what it hears from now on is kept. */
  readonly judge: Judge;
  /** The watch is over: the record is stored, in its own time. */
  end(about: About): void;
}

/** Writes down what the judges of this process hear, so that a verdict can be replayed event by event. */
export class Recorder {
  readonly #store: WatchRecords;
  readonly #log: Log;
  #watches = 0;

  constructor(store: WatchRecords, log: Log) {
    this.#store = store;
    this.#log = log;
  }

  /** `resumed`: the judge goes on where an earlier attempt's was, so the record begins with its snapshot. */
  begin(settings: JudgeSettings, judge: Judge, resumed: boolean): Recording {
    this.#watches += 1;
    const cap = (): number => Math.min(MOST, Math.max(LEAST, ALL / this.#watches));
    const pages = new Pages(writeBegin(settings, resumed ? judge.snapshot() : undefined));
    const turn = (): string => writeBegin(settings, judge.snapshot());
    const recorded = new RecordedJudge(judge, (event) => pages.add(writeEvent(event), cap(), turn));
    let open = true;
    const end = (about: About): void => {
      if (!open) return;
      open = false;
      this.#watches -= 1;
      const { text, events } = pages;
      this.#store.keep({ ...about, text, events }).catch((error: unknown) => {
        this.#log.warn({ opId: about.opId, err: error }, 'what the judge heard was not stored: this watch cannot be replayed');
      });
    };
    return { judge: recorded, end };
  }
}

/** The last one or two pages of a record. Each begins with what the judge knew by then, so the older one can be thrown away. */
class Pages {
  #before: readonly string[] = [];
  #page: string[];
  #size: number;

  constructor(begin: string) {
    this.#page = [begin];
    this.#size = begin.length;
  }

  add(line: string, cap: number, begin: () => string): void {
    this.#page.push(line);
    this.#size += line.length + 1;
    if (this.#size < cap / 2) return;
    this.#before = this.#page;
    this.#page = [begin()];
    this.#size = this.#page[0]?.length ?? 0;
  }

  /** One beginning, then every event after it. */
  get #lines(): readonly string[] {
    return this.#before.length === 0 ? this.#page : [...this.#before, ...this.#page.slice(1)];
  }

  get text(): string {
    return `${this.#lines.join('\n')}\n`;
  }

  get events(): number {
    return this.#lines.length - 1;
  }
}

class RecordedJudge implements Judge {
  readonly #judge: Judge;
  readonly #write: (event: Evidence) => void;

  constructor(judge: Judge, write: (event: Evidence) => void) {
    this.#judge = judge;
    this.#write = write;
  }

  get counts(): Counts {
    return this.#judge.counts;
  }

  hear(event: Evidence): Verdict | undefined {
    const verdict = this.#judge.hear(event);
    this.#write(event);
    return verdict;
  }

  conclude(at: number): Verdict {
    return this.#judge.conclude(at);
  }

  pending(at: number): string | undefined {
    return this.#judge.pending?.(at);
  }

  snapshot(): JsonObject {
    return this.#judge.snapshot();
  }

  carry(): JsonObject | undefined {
    return this.#judge.carry?.();
  }
}
