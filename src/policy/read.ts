// The text of policies as documents that still know where everything stands. Safe with text that strangers send.
import { type Document, isAlias, isNode, LineCounter, parseAllDocuments, visit } from 'yaml';
import type { RawDocument } from '../domain/policy/lint/document.ts';
import type { Path, Place } from '../domain/policy/lint/finding.ts';
import { editOf } from './edit.ts';

/** Larger texts are refused unread: the server takes objects of 1.5 MiB, and no policy that people review comes near. */
export const MAX_POLICY_BYTES = 256 * 1024;

export interface Unreadable extends Place {
  readonly rule: 'too-large' | 'not-yaml' | 'unsafe-yaml';
  readonly words: string;
}

export type ReadPolicies =
  | { readonly ok: true; readonly documents: readonly RawDocument[] }
  | { readonly ok: false; readonly problem: Unreadable };

const TOP: Place = { line: 1, column: 1, endLine: 1, endColumn: 1 };

/** Total: any text gives its documents or the one reason why it is not read. Empty documents are left out. */
export function readPolicies(text: string): ReadPolicies {
  const bytes = Buffer.byteLength(text, 'utf8');
  if (bytes > MAX_POLICY_BYTES) {
    return refused(
      'too-large',
      TOP,
      `The text has ${bytes} bytes; more than ${MAX_POLICY_BYTES} are not read. Split it into several files.`,
    );
  }
  try {
    return readDocuments(text);
  } catch (error) {
    // Deep nesting ends in a RangeError of the stack, and nothing that is written by hand nests so deep.
    return refused('not-yaml', TOP, `The text cannot be read as YAML: ${error instanceof Error ? error.message : String(error)}`);
  }
}

/** Each edit costs about one reading of the text. In UTF-16 units. */
const EDIT_WORK = 1024 * 1024;
const MOST_EDITS = 100;

function readDocuments(text: string): ReadPolicies {
  const lines = new LineCounter();
  const parsed = parseAllDocuments(text, { lineCounter: lines, prettyErrors: false, uniqueKeys: true, logLevel: 'silent' });
  const documents = Array.isArray(parsed) ? parsed : [];
  for (const document of documents) {
    const error = document.errors[0] ?? document.warnings[0];
    if (error) {
      const rule = document.errors[0] ? 'not-yaml' : 'unsafe-yaml';
      return refused(rule, placeAt(lines, error.pos[0], error.pos[1]), `Not the YAML of a Kubernetes object: ${error.message}`);
    }
    const alias = firstAlias(document);
    if (alias !== undefined) {
      const words = 'Aliases (*name) are not read: a few lines of them can mean gigabytes. Write the value out.';
      return refused('unsafe-yaml', placeAt(lines, alias, alias + 1), words);
    }
  }
  let edits = Math.min(MOST_EDITS, Math.ceil(EDIT_WORK / Math.max(1, text.length)));
  return {
    ok: true,
    documents: documents
      .filter((document) => document.contents !== null)
      .map((document) => ({
        value: document.toJS() as unknown,
        placeOf: (path) => placeOf(document, lines, path),
        editOf: (patch) => (edits-- > 0 ? editOf({ document, lines, text, patch }) : undefined),
      })),
  };
}

function refused(rule: Unreadable['rule'], place: Place, words: string): ReadPolicies {
  return { ok: false, problem: { ...place, rule, words } };
}

function firstAlias(document: Document): number | undefined {
  let found: number | undefined;
  visit(document, (_key, node) => {
    if (!isAlias(node)) return undefined;
    found = node.range?.[0] ?? 0;
    return visit.BREAK;
  });
  return found;
}

function placeAt(lines: LineCounter, from: number, to: number): Place {
  const start = lines.linePos(from);
  const end = lines.linePos(Math.max(from, to));
  return { line: Math.max(1, start.line), column: Math.max(1, start.col), endLine: Math.max(1, end.line), endColumn: Math.max(1, end.col) };
}

/** An entry of a mapping stands at its key, an entry of a list at its first character. */
function placeOf(document: Document, lines: LineCounter, path: Path): Place {
  for (let depth = path.length; depth >= 0; depth--) {
    const range = rangeOf(document, path.slice(0, depth));
    if (range) return placeAt(lines, ...range);
  }
  return TOP;
}

function rangeOf(document: Document, path: Path): readonly [number, number] | undefined {
  const name = path.at(-1);
  const node = path.length === 0 ? document.contents : document.getIn(path, true);
  if (typeof name === 'string') {
    const parent = path.length === 1 ? document.contents : document.getIn(path.slice(0, -1), true);
    const key = keyRange(parent, name);
    if (key) return key;
  }
  if (!isNode(node) || !node.range) return undefined;
  const [from, to] = node.range;
  // A whole block would paint half the file red.
  return 'items' in node ? [from, from + 1] : [from, to];
}

function keyRange(parent: unknown, name: string): readonly [number, number] | undefined {
  if (typeof parent !== 'object' || parent === null || !('items' in parent) || !Array.isArray(parent.items)) return undefined;
  for (const { key } of parent.items as readonly { readonly key?: unknown }[]) {
    if (isNode(key) && 'value' in key && String(key.value) === name && key.range) return [key.range[0], key.range[1]];
  }
  return undefined;
}
