import { readFile } from 'node:fs/promises';
import { isNode, LineCounter, parseDocument } from 'yaml';
import { parseConfig } from '../domain/config/parse.ts';
import type { Config } from '../domain/config/schema.ts';
import { type ConfigProblem } from '../domain/config/secrets.ts';

/** One mistake in the file, for the person who edits it. Lines and columns count from 1. */
export interface ConfigError {
  readonly line: number;
  readonly column: number;
  /** `channels.0.cluster`; empty for the whole file. */
  readonly path: string;
  readonly words: string;
}

export type ReadConfig = { readonly ok: true; readonly config: Config } | { readonly ok: false; readonly errors: readonly ConfigError[] };

/** Reads the text of a meshops.yaml: everything that is wrong with it, each with its place. */
export function readConfigText(text: string): ReadConfig {
  const lines = new LineCounter();
  // Aliases could make a small file huge; a configuration needs none.
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false, uniqueKeys: true });
  const place = (offset: number): { line: number; column: number } => {
    const { line, col } = lines.linePos(offset);
    return { line: Math.max(1, line), column: Math.max(1, col) };
  };
  if (document.errors.length > 0) {
    return {
      ok: false,
      errors: document.errors.map((error) => ({ ...place(error.pos[0]), path: '', words: `Not YAML: ${error.message}` })),
    };
  }
  let value: unknown;
  try {
    value = document.toJS({ maxAliasCount: 0 });
  } catch {
    return {
      ok: false,
      errors: [{ line: 1, column: 1, path: '', words: 'Aliases (*name) cannot be used in this file: write the value out.' }],
    };
  }
  const parsed = parseConfig(value);
  if (parsed.ok) return parsed;
  const errors = parsed.problems.map((problem) => ({
    ...place(offsetOf(document, problem)),
    path: problem.path.join('.'),
    words: problem.words,
  }));
  return { ok: false, errors: errors.toSorted((a, b) => a.line - b.line || a.column - b.column) };
}

/** Reads a file; `text` is what was read, empty when nothing could be. */
export async function readConfigFile(path: string): Promise<ReadConfig & { readonly text: string }> {
  try {
    const text = await readFile(path, 'utf8');
    return { ...readConfigText(text), text };
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    return { ok: false, errors: [{ line: 1, column: 1, path: '', words: `The file cannot be read: ${reason}` }], text: '' };
  }
}

/** `meshops.yaml:12:5 channels.0.cluster: There is no cluster …` */
export function formatConfigError(file: string, error: ConfigError): string {
  return `${file}:${error.line}:${error.column} ${error.path ? `${error.path}: ` : ''}${error.words}`;
}

/** Where the value stands; for one that is missing, the nearest thing around it. */
function offsetOf(document: ReturnType<typeof parseDocument>, { path }: ConfigProblem): number {
  for (let depth = path.length; depth >= 0; depth--) {
    const key = keyOffset(document, path.slice(0, depth));
    if (key !== undefined) return key;
    const node = depth === 0 ? document.contents : document.getIn(path.slice(0, depth), true);
    if (isNode(node) && node.range) return node.range[0];
  }
  return 0;
}

/** A mistake in a mapping's entry is shown at its key: a wrong block has no good place of its own. */
function keyOffset(document: ReturnType<typeof parseDocument>, path: readonly (string | number)[]): number | undefined {
  const name = path.at(-1);
  if (typeof name !== 'string') return undefined;
  const parent = path.length === 1 ? document.contents : document.getIn(path.slice(0, -1), true);
  if (typeof parent !== 'object' || parent === null || !('items' in parent) || !Array.isArray(parent.items)) return undefined;
  for (const item of parent.items as readonly { readonly key?: unknown }[]) {
    const { key } = item;
    if (isNode(key) && 'value' in key && String(key.value) === name) return key.range?.[0];
  }
  return undefined;
}
