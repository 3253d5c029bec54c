import { isMap, isNode, isScalar, isSeq, type Node, type Pair, Scalar, stringify, type YAMLMap, type YAMLSeq } from 'yaml';
import type { Json } from '../domain/json.ts';

/** A piece of a text that is replaced. */
export interface Splice {
  readonly start: number;
  readonly end: number;
  readonly text: string;
}

/** This way of writing YAML is not edited in place. */
export class NotInPlace extends Error {
  override name = 'NotInPlace' as const;
}

/** The text with all pieces replaced; from the end, so that no place moves before it is used. */
export function spliced(text: string, splices: readonly Splice[]): string {
  return splices
    .toSorted((a, b) => b.start - a.start || b.end - a.end)
    .reduce((done, { start, end, text: piece }) => `${done.slice(0, start)}${piece}${done.slice(end)}`, text);
}

/** Writes another value where a node is. */
export function replaced(text: string, node: Node, value: Json): Splice {
  const [start, end] = rangeOf(node);
  if (isScalar(node) && !isCollection(value)) return { start, end: node.range?.[1] ?? end, text: scalarText(node, value) };
  if (isFlow(node)) return { start, end, text: JSON.stringify(value) };
  if (isScalar(node) || !isCollection(value)) throw new NotInPlace('a value becomes a list or a mapping');
  return { start, end: trimmed(text, end), text: blockText(value, columnOf(text, start)) };
}

/** Adds a key to a mapping, behind its last one. */
export function withKey(text: string, map: YAMLMap, key: string, value: Json): Splice {
  const last = map.items.at(-1);
  const first = map.items[0];
  if (!last || !first || !isNode(first.key)) throw new NotInPlace('an empty mapping');
  const end = endOf(last);
  if (isFlow(map)) return at(trimmed(text, end), `, ${key}: ${JSON.stringify(value)}`);
  const column = columnOf(text, rangeOf(first.key)[0]);
  const inner = isCollection(value)
    ? `\n${' '.repeat(column + 2)}${blockText(value, column + 2)}`
    : ` ${stringify(value, { lineWidth: 0 }).trimEnd()}`;
  return at(endOfLine(text, trimmed(text, end)), `\n${' '.repeat(column)}${key}:${inner}`);
}

/** Takes a key out of a mapping, with its lines. */
export function withoutKey(text: string, map: YAMLMap, key: string): Splice {
  const index = map.items.findIndex((pair) => isScalar(pair.key) && pair.key.value === key);
  const pair = map.items[index];
  if (!pair || isFlow(map) || !isNode(pair.key) || map.items.length === 1) throw new NotInPlace('a key of a mapping on one line');
  return lines(text, rangeOf(pair.key)[0], endOf(pair));
}

/** Puts an item into a list, before the one at `index`. */
export function withItem(text: string, list: YAMLSeq, index: number, value: Json): Splice {
  if (isFlow(list) || list.items.length === 0) throw new NotInPlace('a list on one line');
  const near = list.items[Math.max(0, index - 1)];
  if (!isNode(near)) throw new NotInPlace('an empty item');
  const dash = dashOf(text, near);
  const column = columnOf(text, dash);
  const item = `${' '.repeat(column)}- ${isCollection(value) ? blockText(value, column + 2) : stringify(value).trimEnd()}`;
  if (index === 0) return at(dash - column, `${item}\n`);
  return at(endOfLine(text, trimmed(text, rangeOf(near)[1])), `\n${item}`);
}

/** Takes an item out of a list, with its lines. */
export function withoutItem(text: string, list: YAMLSeq, index: number): Splice {
  const item = list.items[index];
  if (isFlow(list) || !isNode(item) || list.items.length === 1) throw new NotInPlace('an item of a list on one line');
  return lines(text, dashOf(text, item), rangeOf(item)[1]);
}

const isCollection = (value: Json): boolean => typeof value === 'object' && value !== null;

function isFlow(node: Node): boolean {
  return (isMap(node) || isSeq(node)) && node.flow === true;
}

/** As the old value was written: in quotes where it had them. */
function scalarText(node: Scalar, value: Json): string {
  const isQuoted = typeof value === 'string' && (node.type === Scalar.QUOTE_DOUBLE || node.type === Scalar.QUOTE_SINGLE);
  const scalar = new Scalar(value);
  if (isQuoted && node.type) scalar.type = node.type;
  return stringify(scalar, { lineWidth: 0 }).trimEnd();
}

function blockText(value: Json, column: number): string {
  return stringify(value, { lineWidth: 0 })
    .trimEnd()
    .replaceAll('\n', `\n${' '.repeat(column)}`);
}

function rangeOf(node: Node): readonly [number, number] {
  const range = node.range;
  if (!range) throw new NotInPlace('a node without a place');
  return [range[0], range[1]];
}

function endOf({ key, value }: Pair): number {
  const last = isNode(value) ? value : key;
  if (!isNode(last)) throw new NotInPlace('a key without a place');
  return rangeOf(last)[1];
}

function dashOf(text: string, item: Node): number {
  const [start] = rangeOf(item);
  const dash = text.lastIndexOf('-', start);
  if (dash < 0 || text.slice(dash + 1, start).trim() !== '' || text.slice(lineOf(text, dash), dash).trim() !== '')
    throw new NotInPlace('an item that begins in the middle of a line');
  return dash;
}

function lines(text: string, start: number, end: number): Splice {
  const from = lineOf(text, start);
  if (text.slice(from, start).trim() !== '') throw new NotInPlace('it begins in the middle of a line');
  return { start: from, end: Math.min(text.length, endOfLine(text, trimmed(text, end)) + 1), text: '' };
}

const at = (place: number, text: string): Splice => ({ start: place, end: place, text });
const lineOf = (text: string, place: number): number => text.lastIndexOf('\n', place - 1) + 1;
const columnOf = (text: string, place: number): number => place - lineOf(text, place);
/** Without the blank end of a block. */
const trimmed = (text: string, end: number): number => text.slice(0, end).trimEnd().length;

function endOfLine(text: string, place: number): number {
  const end = text.indexOf('\n', place);
  return end < 0 ? text.length : end;
}
