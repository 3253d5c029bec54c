import { parseBracket } from './bracket.ts';
import { type CharMatch, inRanges, PERL } from './classes.ts';
import { parseUnicodeName, readEscape } from './escape.ts';
import { type Node, RegexSyntaxError } from './node.ts';
import { Reader } from './reader.ts';

/**
 * RE2's syntax as Go's regexp package takes it (https://github.com/google/re2/wiki/Syntax): no backreferences, no lookaround, no
 * possessive repetition. Groups capture nothing here and greediness is of no account, since only whole matches are asked for.
 */
interface Flags {
  readonly fold: boolean;
  readonly multiLine: boolean;
  readonly dotAll: boolean;
}

const MOST_REPEATS = 1000;
const DEEPEST = 1000;

/** Throws RegexSyntaxError. */
export function parseRegex(pattern: string): Node {
  const parser = new Parser(pattern);
  return parser.whole();
}

class Parser {
  readonly #reader: Reader;
  readonly #names = new Set<string>();
  #flags: Flags = { fold: false, multiLine: false, dotAll: false };
  #depth = 0;

  constructor(pattern: string) {
    this.#reader = new Reader(pattern);
  }

  whole(): Node {
    const node = this.#alternatives();
    if (!this.#reader.done) throw new RegexSyntaxError(`unexpected ): \`${this.#reader.text}\``);
    return node;
  }

  #alternatives(): Node {
    this.#depth += 1;
    if (this.#depth > DEEPEST) throw new RegexSyntaxError('expression nests too deeply');
    const parts = [this.#sequence()];
    while (this.#reader.take('|')) parts.push(this.#sequence());
    this.#depth -= 1;
    return parts.length === 1 && parts[0] ? parts[0] : { kind: 'either', parts };
  }

  #sequence(): Node {
    const parts: Node[] = [];
    while (!this.#reader.done && !this.#reader.at('|') && !this.#reader.at(')')) {
      if (this.#reader.take('\\Q')) parts.push(...this.#quoted());
      else {
        const atom = this.#atom();
        if (atom) parts.push(atom);
        // A repetition after `(?i)` is one of what stands before that.
        else if (parts.length === 0 && this.#repetition()) throw new RegexSyntaxError('missing argument to repetition operator');
      }
      const repeated = this.#repeated(parts.pop());
      if (repeated) parts.push(repeated);
    }
    return parts.length === 1 && parts[0] ? parts[0] : { kind: 'sequence', parts };
  }

  /** Everything up to `\E` or the end, letter by letter. */
  #quoted(): Node[] {
    const nodes: Node[] = [];
    while (!this.#reader.done && !this.#reader.take('\\E')) nodes.push(this.#literal(this.#reader.next()));
    return nodes;
  }

  #repeated(node: Node | undefined): Node | undefined {
    if (!node) return undefined;
    const count = this.#repetition();
    if (!count) return node;
    this.#reader.take('?');
    const again = this.#repetition();
    if (again) throw new RegexSyntaxError('invalid nested repetition operator');
    const repeated: Node = { kind: 'repeat', part: node, ...count };
    if (count.most !== 1 && repeats(repeated) > MOST_REPEATS) throw new RegexSyntaxError('invalid repeat count');
    return repeated;
  }

  /** Takes `*`, `+`, `?` or `{n,m}` if one stands here; a brace that is no repetition is a letter. */
  #repetition(): { readonly least: number; readonly most: number } | undefined {
    if (this.#reader.take('*')) return { least: 0, most: Number.POSITIVE_INFINITY };
    if (this.#reader.take('+')) return { least: 1, most: Number.POSITIVE_INFINITY };
    if (this.#reader.take('?')) return { least: 0, most: 1 };
    const found = this.#reader.takeMatch(/\{(0|[1-9]\d*)(?:(,)(0|[1-9]\d*)?)?\}/y);
    if (!found) return undefined;
    const least = Number(found[1]);
    const most = found[3] !== undefined ? Number(found[3]) : found[2] === undefined ? least : Number.POSITIVE_INFINITY;
    const isTooMany = least > MOST_REPEATS || (most !== Number.POSITIVE_INFINITY && most > MOST_REPEATS);
    if (isTooMany || least > most) throw new RegexSyntaxError(`invalid repeat count: \`${found[0]}\``);
    return { least, most };
  }

  /** One item; undefined where a repetition stands instead, or where flags were set and nothing is matched. */
  #atom(): Node | undefined {
    const letter = this.#reader.peek();
    if (letter === '(') return this.#group();
    if (letter === '[') return { kind: 'char', matches: parseBracket(this.#reader, this.#flags.fold) };
    if (letter === '\\') return this.#escaped();
    if (letter === '*' || letter === '+' || letter === '?') return undefined;
    if (letter === '{' && this.#reader.matches(/\{(0|[1-9]\d*)(,(0|[1-9]\d*)?)?\}/y)) return undefined;
    this.#reader.next();
    if (letter === '.') return { kind: 'char', matches: this.#flags.dotAll ? () => true : (code) => code !== 10 };
    if (letter === '^') return { kind: 'assert', what: this.#flags.multiLine ? 'line-start' : 'text-start' };
    if (letter === '$') return { kind: 'assert', what: this.#flags.multiLine ? 'line-end' : 'text-end' };
    return this.#literal(letter);
  }

  #literal(letter: string): Node {
    const code = letter.codePointAt(0) ?? 0;
    return { kind: 'char', matches: inRanges([[code, code]], this.#flags.fold) };
  }

  #escaped(): Node {
    const { fold } = this.#flags;
    const class_ = this.#reader.takeMatch(/\\([dswDSW])/y)?.[1];
    if (class_ !== undefined) return { kind: 'char', matches: perlClass(class_, fold) };
    const unicode = parseUnicodeName(this.#reader, fold);
    if (unicode) return { kind: 'char', matches: unicode };
    if (this.#reader.take('\\A')) return { kind: 'assert', what: 'text-start' };
    if (this.#reader.take('\\z')) return { kind: 'assert', what: 'text-end' };
    if (this.#reader.take('\\b')) return { kind: 'assert', what: 'word' };
    if (this.#reader.take('\\B')) return { kind: 'assert', what: 'not-word' };
    return this.#literal(String.fromCodePoint(readEscape(this.#reader)));
  }

  #group(): Node | undefined {
    const outer = this.#flags;
    this.#reader.next();
    if (this.#reader.take('?')) {
      if (this.#flagsOnly()) return undefined;
    }
    const inner = this.#alternatives();
    if (!this.#reader.take(')')) throw new RegexSyntaxError(`missing closing ): \`${this.#reader.text}\``);
    this.#flags = outer;
    return inner;
  }

  /** After `(?`: a name, flags for this group, or flags for the rest of the enclosing one (true). */
  #flagsOnly(): boolean {
    const name = this.#reader.takeMatch(/P?<(\w+)>/y)?.[1];
    if (name !== undefined) {
      if (this.#names.has(name)) throw new RegexSyntaxError(`duplicate capture group name: \`${name}\``);
      this.#names.add(name);
      return false;
    }
    const found = this.#reader.takeMatch(/([imsU]*)(-[imsU]+)?([:)])/y);
    if (!found || (found[1] === '' && found[2] === undefined && found[3] === ')')) {
      throw new RegexSyntaxError(`invalid or unsupported Perl syntax: \`(?${this.#reader.rest.slice(0, 3)}\``);
    }
    const [, on = '', off = ''] = found;
    const flag = (letter: string, now: boolean) => !off.includes(letter) && (now || on.includes(letter));
    this.#flags = { fold: flag('i', this.#flags.fold), multiLine: flag('m', this.#flags.multiLine), dotAll: flag('s', this.#flags.dotAll) };
    return found[3] === ')';
  }
}

export function perlClass(letter: string, fold: boolean): CharMatch {
  const has = inRanges(PERL[letter.toLowerCase()] ?? [], fold);
  return letter === letter.toLowerCase() ? has : (code) => !has(code);
}

/** How often an expression is written out when repetitions are unfolded. */
function repeats(node: Node): number {
  switch (node.kind) {
    case 'repeat': {
      const times = node.most === Number.POSITIVE_INFINITY ? node.least : node.most;
      return Math.max(1, times) * repeats(node.part);
    }
    case 'sequence':
    case 'either':
      return node.parts.reduce((most, part) => Math.max(most, repeats(part)), 1);
    case 'char':
    case 'assert':
      return 1;
  }
}
