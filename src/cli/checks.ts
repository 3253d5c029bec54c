// One line of `meshops doctor`: what was looked at, and what is missing.

export interface Check {
  readonly name: string;
  /** What was found, for the line. Throws with what is missing and what to do. */
  readonly look: (signal: AbortSignal) => Promise<string>;
}

export interface Found {
  readonly name: string;
  readonly ok: boolean;
  readonly words: string;
}

/** One check may take this long; all run side by side. Milliseconds. */
const CHECK_MS = 8_000;

export async function runCheck(check: Check, signal: AbortSignal): Promise<Found> {
  const bounded = AbortSignal.any([signal, AbortSignal.timeout(CHECK_MS)]);
  const late = new Promise<never>((_resolve, reject) => {
    bounded.addEventListener('abort', () => reject(new Error(`no answer within ${CHECK_MS / 1000} s`)), { once: true });
  });
  try {
    return { name: check.name, ok: true, words: await Promise.race([check.look(bounded), late]) };
  } catch (error) {
    return { name: check.name, ok: false, words: reasonOf(error) };
  }
}

/** `✓ name: words` or `✗ name: words`. */
export function formatFound({ name, ok, words }: Found): string {
  return `${ok ? '✓' : '✗'} ${name}: ${words}`;
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
