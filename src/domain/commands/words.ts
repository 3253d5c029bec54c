/** One word of a command as typed: quotes taken off, dashes and quotes that Slack and phones prettify put back to plain ones. */
export interface Word {
  readonly text: string;
  readonly quoted: boolean;
}

const DOUBLE = '"“”„‟«»';
const SINGLE = "'‘’‚‛";
/** Zero-width characters and direction marks that pasted text carries along and nobody can see. */
const INVISIBLE = /[\u200B-\u200F\u202A-\u202E\u2060-\u2064\uFEFF]/g;

/**
 * Splits a text into words. Quotes open at the start of a word or after `--flag=`. A double quote that is never closed gives
 * `{ unclosed }`; a single one is an apostrophe then.
 */
export function splitWords(text: string): readonly Word[] | { readonly unclosed: string } {
  const clean = text.replace(INVISIBLE, '');
  const words: Word[] = [];
  let at = 0;
  while (at < clean.length) {
    if (/\s/.test(clean[at] ?? '')) {
      at += 1;
      continue;
    }
    const bare = /^[^\s]*?(?==["“”„‟«»'‘’‚‛])=/.exec(clean.slice(at))?.[0] ?? '';
    const quote = clean[at + bare.length] ?? '';
    const close = closingQuote(clean, at + bare.length, quote);
    if (close === undefined && DOUBLE.includes(quote)) return { unclosed: clean.slice(at + bare.length, at + bare.length + 30) };
    if (close === undefined) {
      const word = /^\S+/.exec(clean.slice(at))?.[0] ?? '';
      words.push({ text: plainDashes(word), quoted: false });
      at += word.length;
      continue;
    }
    const inside = clean
      .slice(at + bare.length + 1, close)
      .replace(/\s+/g, ' ')
      .trim();
    words.push({ text: plainDashes(bare) + inside, quoted: bare === '' });
    at = close + 1;
  }
  return words;
}

/** Index of the quote that closes the one at `start` (any glyph of its kind, before white space or the end), or undefined. */
function closingQuote(text: string, start: number, quote: string): number | undefined {
  const kind = quote === '' ? '' : DOUBLE.includes(quote) ? DOUBLE : SINGLE.includes(quote) ? SINGLE : '';
  if (kind === '') return undefined;
  for (let at = start + 1; at < text.length; at += 1) {
    const next = text[at + 1];
    if (kind.includes(text[at] ?? ' ') && (next === undefined || /\s/.test(next))) return at;
  }
  return undefined;
}

/** `—soak` and `–soak` are what editors make of `--soak`; inside a word a dash is a dash. */
function plainDashes(word: string): string {
  return word
    .replace(/^[—–―](?=\p{L})/u, '--')
    .replace(/^[—–―]$/, '--')
    .replace(/—|―/g, '--')
    .replace(/[–‐‑‒−﹣－]/g, '-');
}

/** The words as one text that splits into the same words again. */
export function joinWords(words: readonly Word[]): string {
  return words.map(({ text, quoted }) => (quoted || /\s|^$/.test(text) ? quoteWord(text) : text)).join(' ');
}

function quoteWord(text: string): string {
  const flag = /^--[a-z]+=/.exec(text)?.[0] ?? '';
  return `${flag}"${text.slice(flag.length).replaceAll('"', "'")}"`;
}
