// One line of `meshops doctor`: what was looked at, what is missing, and what to do about it.

/** Which process is looked at: bot and worker have accounts and rights of their own. `run`: both in one. */
export const PROCESSES = ['run', 'bot', 'worker'] as const;
export type ProcessName = (typeof PROCESSES)[number];

/** It works, but people should know, and can do something about it. */
export interface Remark {
  readonly words: string;
  readonly todo: string;
}

export interface Check {
  readonly name: string;
  /** What to do when `look` throws, where the error does not say it better. */
  readonly todo: string;
  /** What was found, for the line. Throws with what is missing. */
  readonly look: (signal: AbortSignal) => Promise<string | Remark>;
}

/** Something that is missing, with what to do about this very thing. */
export class Missing extends Error {
  override readonly name = 'Missing' as const;
  readonly todo: string;
  constructor(words: string, todo: string, options?: ErrorOptions) {
    super(words, options);
    this.todo = todo;
  }
}

export interface Found {
  readonly name: string;
  readonly state: 'good' | 'remark' | 'missing';
  readonly words: string;
  readonly todo?: string;
}

/** One check may take this long; all run side by side. Milliseconds. */
const CHECK_MS = 8_000;

export async function runCheck(check: Check, signal: AbortSignal): Promise<Found> {
  const { name } = check;
  const bounded = AbortSignal.any([signal, AbortSignal.timeout(CHECK_MS)]);
  const late = new Promise<never>((_resolve, reject) => {
    bounded.addEventListener('abort', () => reject(new Error(`no answer within ${CHECK_MS / 1000} s`)), { once: true });
  });
  late.catch(() => undefined);
  try {
    const found = await Promise.race([check.look(bounded), late]);
    return typeof found === 'string' ? { name, state: 'good', words: found } : { name, state: 'remark', ...found };
  } catch (error) {
    const todo = error instanceof Missing ? error.todo : check.todo;
    return { name, state: 'missing', words: reasonOf(error), todo };
  }
}

const MARKS: Readonly<Record<Found['state'], string>> = { good: '✓', remark: '!', missing: '✗' };

/** `✓ name: words`, or `✗ name: words` and what to do on a line of its own. */
export function formatFound({ name, state, words, todo }: Found): string {
  return `${MARKS[state]} ${name}: ${words}${todo === undefined ? '' : `\n  → ${todo}`}`;
}

/** What it comes to, in one sentence. */
export function summaryOf(found: readonly Found[]): string {
  const missing = found.filter(({ state }) => state === 'missing').length;
  const remarks = found.filter(({ state }) => state === 'remark').length;
  const noted = remarks === 0 ? '' : ` ${remarks === 1 ? 'One thing' : `${remarks} things`} could be better.`;
  return missing === 0 ? `Everything that meshops needs is there.${noted}` : `${missing} of ${found.length} checks failed.${noted}`;
}

/** The innermost reason too: a bare "fetch failed" helps nobody. */
function reasonOf(error: unknown): string {
  const words: string[] = [];
  for (let one: unknown = error, depth = 0; one instanceof Error && depth < 4; one = one.cause ?? originalOf(one), depth++) {
    if (one.message && !words.includes(one.message)) words.push(one.message);
  }
  return words.join(': ') || String(error);
}

function originalOf(error: Error): unknown {
  return 'original' in error ? error.original : undefined;
}
