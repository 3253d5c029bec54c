// The text of policies as documents that still know where everything stands. Safe with text that strangers send.
import { type Document, isNode, isScalar, LineCounter, visit, type YAMLMap } from 'yaml';
import type { RawDocument } from '../domain/policy/lint/document.ts';
import type { Path, Place } from '../domain/policy/lint/finding.ts';
import { hasPlaceholders } from '../domain/policy/lint/placeholders.ts';
import { boundlessAlias } from './aliases.ts';
import { editOf } from './edit.ts';
import { withoutPlaceholders } from './placeholders.ts';
import { parseYaml, valueOf } from './yaml.ts';

/** Larger texts are refused unread: the server takes objects of 1.5 MiB, and no policy that people review comes near. */
export const MAX_POLICY_BYTES = 256 * 1024;

/** What is read of one text. */
export interface Limits {
  readonly bytes: number;
  /** Brackets, colons, commas and lines. A policy of 256 KiB that people wrote has some 25,000 of them; reading costs time for each. */
  readonly marks: number;
}
/** Of a text that anybody may have sent. */
const STRANGERS: Limits = { bytes: MAX_POLICY_BYTES, marks: 50_000 };
/** Of one's own files: what `kubectl get -A -o yaml` gives in a large cluster. */
export const OWN_FILES: Limits = { bytes: 16 * 1024 * 1024, marks: 5_000_000 };
/** Objects of Kubernetes nest some ten levels deep. */
const DEEPEST = 500;
/** In one text. */
const MOST_DOCUMENTS = 5_000;
/** In one mapping: nobody writes so many, and the findings of each have to be placed. */
const MOST_KEYS = 1_000;

interface Unreadable extends Place {
  readonly rule: 'too-large' | 'not-yaml' | 'unsafe-yaml' | 'template';
  readonly words: string;
}

type ReadPolicies =
  | { readonly ok: true; readonly documents: readonly RawDocument[] }
  | { readonly ok: false; readonly problem: Unreadable };

const MARKS: ReadonlySet<string> = new Set('[]{},:?!&*-\n');
const TOP: Place = { line: 1, column: 1, endLine: 1, endColumn: 1 };

/** Total: any text gives its documents or the one reason why it is not read. Empty documents are left out. */
export function readPolicies(text: string, limits: Limits = STRANGERS): ReadPolicies {
  const bytes = Buffer.byteLength(text, 'utf8');
  if (bytes > limits.bytes) {
    return refused('too-large', TOP, `The text has ${bytes} bytes; more than ${limits.bytes} are not read. Split it into several files.`);
  }
  const { marks, depth } = marksIn(text);
  if (depth > DEEPEST) return refused('not-yaml', TOP, `The text cannot be read as YAML: its brackets nest deeper than ${DEEPEST}.`);
  if (marks > limits.marks) {
    return refused(
      'too-large',
      TOP,
      `The text has ${marks} brackets, colons, commas and line breaks; with more than ${limits.marks} it is not read. Split it into several files.`,
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
const EDIT_WORK = 512 * 1024;
const MOST_EDITS = 100;

function readDocuments(written: string): ReadPolicies {
  const lines = new LineCounter();
  const text = withoutPlaceholders(written);
  const documents = parseYaml(text, lines);
  if (documents.length > MOST_DOCUMENTS) {
    return refused('too-large', TOP, `The text holds ${documents.length} documents; more than ${MOST_DOCUMENTS} are not read.`);
  }
  for (const document of documents) {
    const problem = problemOf(document, lines);
    if (problem) return problem.rule !== 'too-large' && text !== written ? templateAt(problem) : { ok: false, problem };
  }
  let edits = Math.min(MOST_EDITS, Math.ceil(EDIT_WORK / Math.max(1, text.length)));
  return {
    ok: true,
    documents: documents
      .filter((document) => document.contents !== null)
      .map((document) => {
        const value = valueOf(document);
        // What stands in a placeholder's place is not known, and must not be overwritten.
        const isFixed = !hasPlaceholders(value);
        return {
          value,
          placeOf: (path) => placeOf(document, lines, path),
          sourceOf: (path) => sourceOf(document, path),
          editOf: (patch) => (isFixed && edits-- > 0 ? editOf({ document, lines, text, patch }) : undefined),
        };
      }),
  };
}

/** As it is written: `on`, where the value is true. */
function sourceOf(document: Document, path: Path): string | undefined {
  const node = document.getIn(path, true);
  return isScalar(node) ? node.source : undefined;
}

function templateAt(place: Place): ReadPolicies {
  return refused(
    'template',
    place,
    'This is a template and no YAML before it is rendered. Check what it makes: `helm template … | meshops policy check -`.',
  );
}

function refused(rule: Unreadable['rule'], place: Place, words: string): ReadPolicies {
  return { ok: false, problem: { ...place, rule, words } };
}

function problemOf(document: Document, lines: LineCounter): Unreadable | undefined {
  const wrong = (rule: Unreadable['rule'], place: Place, words: string): Unreadable => ({ ...place, rule, words });
  const error = document.errors[0] ?? document.warnings[0];
  if (error) {
    const rule = document.errors[0] ? 'not-yaml' : 'unsafe-yaml';
    return wrong(rule, placeAt(lines, error.pos[0], error.pos[1]), `Not the YAML of a Kubernetes object: ${error.message}`);
  }
  const found = firstFault(document);
  if (!found) return undefined;
  const place = placeAt(lines, found.at, found.at + 1);
  switch (found.kind) {
    case 'alias':
      return wrong('unsafe-yaml', place, 'Written out, this alias (*name) would be larger than anybody reads. Write the value out.');
    case 'twice':
      return wrong('not-yaml', place, 'Not the YAML of a Kubernetes object: Map keys must be unique');
    case 'many':
      return wrong('too-large', place, `This mapping has more than ${MOST_KEYS} keys, which are not read.`);
    default:
      return found.kind satisfies never;
  }
}

interface Fault {
  readonly kind: 'alias' | 'twice' | 'many';
  readonly at: number;
}

/** In one walk. The library's own look for keys that are given twice compares each with all: it grows with the square. */
function firstFault(document: Document): Fault | undefined {
  let found: Fault | undefined;
  visit(document, {
    Map: (_key, node) => {
      found = faultOfKeys(node);
      return found ? visit.BREAK : undefined;
    },
  });
  if (found) return found;
  const alias = boundlessAlias(document);
  return alias && { kind: 'alias', at: alias.range?.[0] ?? 0 };
}

function faultOfKeys(map: YAMLMap): Fault | undefined {
  if (map.items.length > MOST_KEYS) return { kind: 'many', at: map.range?.[0] ?? 0 };
  const seen = new Set<unknown>();
  for (const { key } of map.items) {
    if (!isScalar(key)) continue;
    if (seen.has(key.value)) return { kind: 'twice', at: key.range?.[0] ?? 0 };
    seen.add(key.value);
  }
  return undefined;
}

/** Looked for before anything is read: one pass over the text. Brackets in quotes count too, which no policy has so many of. */
function marksIn(text: string): { readonly marks: number; readonly depth: number } {
  let [marks, open, depth] = [0, 0, 0];
  for (const sign of text) {
    if (!MARKS.has(sign)) continue;
    marks += 1;
    if (sign === '[' || sign === '{') open += 1;
    if (sign === ']' || sign === '}') open -= 1;
    depth = Math.max(depth, open);
  }
  return { marks, depth };
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
