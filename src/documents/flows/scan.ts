// Text in pieces as the records in it, wherever the pieces end. Never more than one record is held.

/** One record as it stands in the text: the JSON of an object, or a line that is none. */
export interface Piece {
  readonly kind: 'json' | 'line' | 'torn';
  readonly text: string;
  /** The JSON, where reading it was how its end was found. */
  readonly value?: unknown;
}

/** A flow has a few KiB; what is longer is none. In UTF-16 units. */
const LONGEST = 4 * 1024 * 1024;

/**
 * Objects one a line, pretty-printed, one behind the other, in a list, or lines of a log. An object that a line ends in the middle of is torn where the next
 * line begins a new one.
 */
export class Scanner {
  #text = '';
  /** Where the search for the end of the object goes on. */
  #at = 0;
  #depth = 0;
  #isText = false;
  /** The object goes over several lines. */
  #isLong = false;
  #skips = false;

  *take(chunk: string): Generator<Piece> {
    this.#text = this.#text === '' ? chunk : this.#text + chunk;
    yield* this.#pieces(false);
    if (this.#text.length > LONGEST) {
      yield { kind: 'torn', text: this.#text.slice(0, 200) };
      this.#forget('');
      this.#skips = true;
    }
  }

  *end(): Generator<Piece> {
    yield* this.#pieces(true);
    if (this.#text.trim() !== '' && !this.#skips) yield { kind: 'torn', text: this.#text.slice(0, 200) };
    this.#forget('');
  }

  *#pieces(isLast: boolean): Generator<Piece> {
    let from = 0;
    while (true) {
      if (!this.#isLong) {
        from = this.#skips ? this.#nextLine(from) : pastGaps(this.#text, from);
        if (from >= this.#text.length) break;
        this.#skips = false;
      }
      const found = this.#text[from] === '{' ? this.#object(from, isLast) : this.#line(from, isLast);
      if (!found) break;
      from = found.end;
      if (found.piece) yield found.piece;
    }
    if (from > 0) this.#cut(from);
  }

  #nextLine(from: number): number {
    const end = this.#text.indexOf('\n', from);
    return end < 0 ? this.#text.length : end + 1;
  }

  /** What is left after `from`. A long object is searched on where the search stood. */
  #cut(from: number): void {
    this.#text = this.#text.slice(from);
    this.#at = Math.max(0, this.#at - from);
  }

  #forget(text: string): void {
    [this.#text, this.#at, this.#depth, this.#isText, this.#isLong] = [text, 0, 0, false, false];
  }

  #line(from: number, isLast: boolean): Found | undefined {
    const end = this.#text.indexOf('\n', from);
    if (end < 0 && !isLast) return undefined;
    const text = this.#text.slice(from, end < 0 ? undefined : end).trimEnd();
    return { end: end < 0 ? this.#text.length : end + 1, piece: text === '' ? undefined : { kind: 'line', text } };
  }

  #object(from: number, isLast: boolean): Found | undefined {
    if (!this.#isLong) {
      const end = this.#text.indexOf('\n', from);
      if (end < 0 && !isLast && this.#text.length - from < LONG_LINE) return undefined;
      const line = this.#text.slice(from, end < 0 ? undefined : end).trimEnd();
      const value = line.endsWith('}') ? jsonOf(line) : undefined;
      if (value !== undefined) return { end: end < 0 ? this.#text.length : end + 1, piece: { kind: 'json', text: line, value } };
      [this.#isLong, this.#at, this.#depth, this.#isText] = [true, from, 0, false];
    }
    return this.#endOf(from, isLast);
  }

  /** Bracket by bracket. */
  #endOf(from: number, isLast: boolean): Found | undefined {
    const text = this.#text;
    for (; this.#at < text.length; this.#at += 1) {
      const sign = text.charCodeAt(this.#at);
      if (sign === BACKSLASH && this.#isText) this.#at += 1;
      else if (sign === QUOTE) this.#isText = !this.#isText;
      else if (sign === NEWLINE && (this.#isText || text.charCodeAt(this.#at + 1) === OPEN)) return this.#torn(from, this.#at + 1);
      else if (this.#isText) continue;
      else if (sign === OPEN) this.#depth += 1;
      else if (sign === CLOSE && --this.#depth === 0) return this.#closed(from, this.#at + 1);
    }
    return isLast ? this.#torn(from, text.length) : undefined;
  }

  #closed(from: number, end: number): Found {
    const text = this.#text.slice(from, end);
    this.#isLong = false;
    const value = jsonOf(text);
    return { end, piece: value === undefined ? { kind: 'torn', text: text.slice(0, 200) } : { kind: 'json', text, value } };
  }

  #torn(from: number, end: number): Found {
    this.#isLong = false;
    return { end, piece: { kind: 'torn', text: this.#text.slice(from, Math.min(end, from + 200)) } };
  }
}

interface Found {
  readonly end: number;
  readonly piece: Piece | undefined;
}

const [QUOTE, BACKSLASH, NEWLINE, OPEN, CLOSE] = [34, 92, 10, 123, 125];
/** From here on an object is searched for before its line has ended: a list of a million flows may be one line. */
const LONG_LINE = 64 * 1024;

/** Blanks, and what stands between the entries of a list. */
function pastGaps(text: string, from: number): number {
  let at = from;
  while (at < text.length && ' \t\r\n,[]\u{FEFF}'.includes(text[at] ?? '')) at += 1;
  return at;
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
