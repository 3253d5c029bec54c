/** The text of a pattern and a place in it; one step is one code point. */
export class Reader {
  readonly text: string;
  #at = 0;

  constructor(text: string) {
    this.text = text;
  }

  get done(): boolean {
    return this.#at >= this.text.length;
  }

  get rest(): string {
    return this.text.slice(this.#at);
  }

  at(words: string): boolean {
    return this.text.startsWith(words, this.#at);
  }

  take(words: string): boolean {
    if (!this.at(words)) return false;
    this.#at += words.length;
    return true;
  }

  /** The code point here, '' at the end. */
  peek(): string {
    const code = this.text.codePointAt(this.#at);
    return code === undefined ? '' : String.fromCodePoint(code);
  }

  next(): string {
    const letter = this.peek();
    this.#at += letter.length;
    return letter;
  }

  /** `pattern` must be sticky. */
  matches(pattern: RegExp): boolean {
    pattern.lastIndex = this.#at;
    return pattern.test(this.text);
  }

  takeMatch(pattern: RegExp): RegExpExecArray | undefined {
    pattern.lastIndex = this.#at;
    const found = pattern.exec(this.text) ?? undefined;
    if (found) this.#at += found[0].length;
    return found;
  }
}
