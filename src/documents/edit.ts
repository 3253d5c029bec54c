// A JSON patch as an edit of the YAML that somebody wrote: comments and order of the rest stay as they are.
import { isDeepStrictEqual } from 'node:util';
import { Document, isCollection, isNode, type LineCounter } from 'yaml';
import type { PatchOperation, Path, TextEdit } from '../domain/policy/lint/finding.ts';
import { KUBECTL_YAML, parseYaml, valueOf } from './yaml.ts';

interface Ask {
  readonly document: Document;
  readonly lines: LineCounter;
  readonly text: string;
  readonly patch: readonly PatchOperation[];
}

/** The smallest piece of text to replace; `undefined` when the edited text would not be the patched document. */
export function editOf({ document, lines, text, patch }: Ask): TextEdit | undefined {
  // New values would not be JSON in a file that is.
  if (/^\s*\{/.test(text)) return undefined;
  const around = commonParent(patch);
  const before = nodeAt(document, around);
  const patched = applied(document, patch);
  const after = patched ? nodeAt(patched, around) : undefined;
  if (!patched || !isCollection(before) || !isCollection(after) || !before.range) return undefined;
  const start = before.range[0];
  const old = text.slice(start, before.range[1]).trimEnd();
  const column = lines.linePos(start).col;
  const piece = narrow(old, rendered(after, column, text), start);
  const edited = text.slice(0, piece.from) + piece.text + text.slice(piece.to);
  if (!sameDocument(edited, document, patched)) return undefined;
  const [from, to] = [lines.linePos(piece.from), lines.linePos(piece.to)];
  return { line: from.line, column: from.col, endLine: to.line, endColumn: to.col, text: piece.text };
}

function steps(pointer: string): Path {
  return pointer
    .split('/')
    .slice(1)
    .map((step) => (/^\d+$/.test(step) ? Number(step) : step.replaceAll('~1', '/').replaceAll('~0', '~')));
}

/** The innermost collection that holds everything the patch touches. */
function commonParent(patch: readonly PatchOperation[]): Path {
  const parents = patch.flatMap((one) => ('from' in one ? [one.from, one.path] : [one.path])).map((path) => steps(path).slice(0, -1));
  const [first = [], ...rest] = parents;
  return rest.reduce<Path>((common, path) => {
    const end = common.findIndex((step, index) => path[index] !== step);
    return end === -1 ? common : common.slice(0, end);
  }, first);
}

function nodeAt(document: Document, path: Path): unknown {
  return path.length === 0 ? document.contents : document.getIn(path, true);
}

function applied(document: Document, patch: readonly PatchOperation[]): Document | undefined {
  const copy = document.clone() as Document;
  for (const one of patch) {
    const path = steps(one.path);
    if (one.op === 'remove') {
      if (!copy.deleteIn(path)) return undefined;
    } else if (one.op === 'move') {
      const from = steps(one.from);
      const value = copy.getIn(from, true);
      if (value === undefined || !copy.deleteIn(from)) return undefined;
      copy.setIn(path, value);
    } else if (path.at(-1) === '-') {
      copy.addIn(path.slice(0, -1), copy.createNode(one.value));
    } else {
      const value = copy.createNode(one.value);
      const old = copy.getIn(path, true);
      if (isNode(old) && old.comment) value.comment = old.comment;
      copy.setIn(path, value);
    }
  }
  return copy;
}

/** The node as it stands in this column, in the file's own way to indent lists. */
function rendered(node: unknown, column: number, text: string): string {
  const document = new Document(node, KUBECTL_YAML as object);
  // These comments stand outside of the piece that is replaced.
  if (isCollection(document.contents)) {
    document.contents.commentBefore = null;
    document.contents.comment = null;
  }
  document.commentBefore = null;
  document.comment = null;
  const flush = /^( *)[^\s#-][^\n]*:[ \t]*\n\1- /m.test(text);
  const padded = !/\{[^\s{}]/.test(text);
  const written = document.toString({ lineWidth: 0, indentSeq: !flush, flowCollectionPadding: padded }).trimEnd();
  const placed = written.replaceAll('\n', `\n${' '.repeat(column - 1)}`).replaceAll(/\n +(?=\n)/g, '\n');
  return text.includes('\r\n') ? placed.replaceAll('\n', '\r\n') : placed;
}

/** Without the lines at both ends that stay as they are. */
function narrow(old: string, fresh: string, offset: number): { from: number; to: number; text: string } {
  const [a, b] = [old.split('\n'), fresh.split('\n')];
  let head = 0;
  while (head < Math.min(a.length - 1, b.length) && sameLine(a[head], b[head])) head++;
  let tail = 0;
  while (tail < Math.min(a.length - 1, b.length) - head && sameLine(a.at(-1 - tail), b.at(-1 - tail))) tail++;
  const length = (lines: readonly string[]): number => lines.reduce((sum, line) => sum + line.length + 1, 0);
  // Lines that only go take one line break with them.
  const goes = head + tail === b.length;
  return {
    from: offset + length(a.slice(0, head)) - (goes && tail === 0 ? 1 : 0),
    to: offset + old.length - length(a.slice(a.length - tail)) + (goes && tail > 0 ? 1 : 0),
    text: b.slice(head, b.length - tail).join('\n'),
  };
}

/** Comments that were lined up by hand stay so. */
function sameLine(one = '', other = ''): boolean {
  return one === other || one.replace(/[ \t]+#/, ' #') === other.replace(/[ \t]+#/, ' #');
}

/** Whether the edited text holds the patched document where the original stood. */
function sameDocument(edited: string, original: Document, patched: Document): boolean {
  const documents = parseYaml(edited);
  if (documents.some((one) => one.errors.length > 0)) return false;
  const want = valueOf(patched);
  // Nothing before the edit moves, so the document still begins at its old offset.
  return documents.some((one) => one.range?.[0] === original.range?.[0] && isDeepStrictEqual(valueOf(one), want));
}
