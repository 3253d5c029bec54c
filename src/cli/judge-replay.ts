import { createReadStream } from 'node:fs';
import { createInterface } from 'node:readline';
import type { JudgeSettings } from '../domain/judge/judge.ts';
import { type Begin, isOfAnotherJudge, readBegin, readEvent } from '../domain/judge/record.ts';
import { isQuiet, Replay, type Step, standingWords, stepWords } from '../domain/judge/replay.ts';
import { countWords } from '../domain/judge/words.ts';

interface JudgeReplayOptions {
  /** `-`: standard input. JSON lines: the judge's settings, then its events (see src/domain/judge/record.ts). */
  readonly file: string;
  /** One JSON object a line: each step, then the conclusion. */
  readonly json: boolean;
  /** Every event on a line of its own, those that only answered too. */
  readonly all: boolean;
  readonly signal: AbortSignal;
  readonly print: (line: string) => void;
}

/** Hears a recorded watch again and explains each step. Exit code 0, or 2 when the file is no record. */
export async function judgeReplay({ file, json, all, signal, print }: JudgeReplayOptions): Promise<number> {
  const lines = createInterface({
    input: file === '-' ? process.stdin : createReadStream(file, { signal }),
    crlfDelay: Number.POSITIVE_INFINITY,
  });
  let teller: Teller | undefined;
  let line = 0;
  for await (const text of lines) {
    line += 1;
    if (text.trim() === '') continue;
    const wrong = teller ? teller.hear(text) : begin(text);
    if (typeof wrong === 'string') {
      print(`${file}:${line}: ${wrong}. Nothing after this line was heard; record the watch again, or cut the line out.`);
      return 2;
    }
    teller ??= wrong;
  }
  if (!teller) {
    print(`${file} is empty: its first line must be {"settings": …}.`);
    return 2;
  }
  teller.end();
  return 0;

  function begin(text: string): Teller | string {
    const read = readBegin(text);
    return read.ok ? new Teller(read.value, { json, all, print }) : `the first line holds no settings (${read.words})`;
  }
}

class Teller {
  readonly #settings: JudgeSettings;
  readonly #replay: Replay;
  readonly #how: Pick<JudgeReplayOptions, 'json' | 'all' | 'print'>;
  #quiet: Step | undefined;
  #quietCount = 0;
  #after = 0;

  constructor(begin: Begin, how: Pick<JudgeReplayOptions, 'json' | 'all' | 'print'>) {
    const { settings, resumed } = begin;
    this.#settings = settings;
    this.#replay = new Replay(begin);
    this.#how = how;
    if (how.json) return;
    const { objective, alpha, slo = 'both', durationMs, exposure } = settings;
    const share = exposure === undefined ? '' : `, ${exposure * 100}% exposed`;
    how.print(`objective ${objective * 100}%, slo ${slo}, alpha ${alpha}, watch of ${durationMs / 1_000} s${share}`);
    if (isOfAnotherJudge(begin)) {
      how.print(
        "This is a record of an earlier judge. Today's hears the same events: what it says, and when, may differ from what was said then.",
      );
      if (resumed) how.print('What that judge had heard before the record began cannot be used.');
    } else if (resumed) how.print(`The record goes on from what was heard before: ${countWords(this.#replay.counts)}.`);
    how.print('It speaks when the evidence of all together reaches what is needed, or that of one alone what it needs (odds to 1).');
  }

  /** Words when the line is no event. */
  hear(text: string): string | undefined {
    const read = readEvent(text);
    if (!read.ok) return `this is no event (${read.words})`;
    const step = this.#replay.hear(read.value);
    if (!step) this.#after += 1;
    else if (this.#how.json) this.#how.print(JSON.stringify(step));
    else if (!this.#how.all && isQuiet(step)) {
      this.#quiet = step;
      this.#quietCount += 1;
    } else {
      this.#flush();
      this.#how.print(stepWords(step, this.#settings.startedAt));
    }
    return undefined;
  }

  #flush(): void {
    if (!this.#quiet) return;
    const { number, event, standing } = this.#quiet;
    const until = ((event.at - this.#settings.startedAt) / 1_000).toFixed(3);
    const what = this.#quietCount === 1 ? '1 event' : `${this.#quietCount} events`;
    this.#how.print(`#${number} +${until} s … ${what} without a failure | ${standing.map(standingWords).join(', ')}`);
    this.#quiet = undefined;
    this.#quietCount = 0;
  }

  end(): void {
    this.#flush();
    const verdict = this.#replay.conclude();
    if (this.#how.json) return this.#how.print(JSON.stringify({ conclusion: verdict, unheard: this.#after }));
    if (this.#after > 0) this.#how.print(`${this.#after} events after the verdict were not heard.`);
    this.#how.print(`At the end: ${verdict.kind}: ${verdict.words}`);
  }
}
