import { reasonOf } from './failure.ts';

/** One thing to tell the person who waits. `ms` is the time since the step began. */
export type Progress = {
  readonly kind: 'begun' | 'tick' | 'done' | 'failed' | 'note';
  readonly step: string;
  readonly detail: string;
  readonly ms: number;
};

export type ReportProgress = (line: Progress) => void;

/** How a step's time is measured and how often a long one ticks. */
export type StepClock = { readonly now: () => number; readonly tickMs: number };

export const systemStepClock: StepClock = { now: Date.now, tickMs: 1000 };

/**
 * Runs `work` as a step that is reported when it begins, each `tickMs` while it lasts, and when it ends.
 * @param work gives its result and how it ended, in a word ("built", "found in PATH"); may change what the ticks say
 */
export async function step<T>(
  report: ReportProgress,
  name: string,
  work: (say: (detail: string) => void) => Promise<{ readonly value: T; readonly detail: string }>,
  clock: StepClock = systemStepClock,
): Promise<T> {
  const begun = clock.now();
  let detail = '';
  const line = (kind: Progress['kind'], text: string): void => report({ kind, step: name, detail: text, ms: clock.now() - begun });
  line('begun', '');
  const timer = setInterval(() => line('tick', detail), clock.tickMs);
  timer.unref();
  try {
    const outcome = await work((text) => {
      detail = text;
    });
    line('done', outcome.detail);
    return outcome.value;
  } catch (error) {
    line('failed', reasonOf(error));
    throw error;
  } finally {
    clearInterval(timer);
  }
}

const seconds = (ms: number): string => (ms < 9950 ? `${(ms / 1000).toFixed(1)} s` : `${Math.round(ms / 1000)} s`);

/** The text of a progress line, as `✓ kube-apiserver 1.36.3 built (215 s)`. */
export function progressText(line: Progress): string {
  const words = `${line.step}${line.detail === '' ? '' : ` ${line.detail}`}`;
  switch (line.kind) {
    case 'begun':
      return `… ${words}`;
    case 'tick':
      return `… ${words} (${seconds(line.ms)})`;
    case 'done':
      return `✓ ${words} (${seconds(line.ms)})`;
    case 'failed':
      return `✗ ${line.step}: ${line.detail}`;
    case 'note':
      return `  ${words}`;
    default:
      return line.kind satisfies never;
  }
}

/** Where progress is printed: a terminal shows ticks in place, a log gets one line for each 15 s of a step. */
export type ProgressSink = { readonly isTTY?: boolean | undefined; readonly columns?: number | undefined; write(text: string): unknown };

const LOG_TICK_MS = 15_000;

/** Prints progress lines. Several steps may be under way at once; a terminal shows the tick of whichever spoke last. */
export function progressPrinter(out: ProgressSink): ReportProgress {
  const printedAt = new Map<string, number>();
  const clear = out.isTTY === true ? '\r\x1b[2K' : '';
  return (line) => {
    const text = progressText(line);
    if (line.kind === 'begun') return void printedAt.set(line.step, 0);
    if (line.kind !== 'tick') return void out.write(`${clear}${text}\n`);
    if (out.isTTY === true) return void out.write(`${clear}${text.slice(0, (out.columns ?? 80) - 1)}`);
    if (line.ms - (printedAt.get(line.step) ?? 0) < LOG_TICK_MS) return;
    printedAt.set(line.step, line.ms);
    out.write(`${text}\n`);
  };
}
