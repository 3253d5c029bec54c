// Values of a recording, each checked and named where it does not fit.
// Numbers of the enums (cilium v1.20.2, api/v1/flow/flow.proto).
export const VERDICTS = ['', 'FORWARDED', 'DROPPED', 'ERROR', 'AUDIT', 'REDIRECTED', 'TRACED', 'TRANSLATED'];
export const DIRECTIONS = ['', 'INGRESS', 'EGRESS'];
export const POINTS: Readonly<Record<number, string>> = {
  0: '',
  1: 'TO_PROXY',
  2: 'TO_HOST',
  3: 'TO_STACK',
  4: 'TO_OVERLAY',
  5: 'FROM_ENDPOINT',
  6: 'FROM_PROXY',
  7: 'FROM_HOST',
  8: 'FROM_STACK',
  9: 'FROM_OVERLAY',
  10: 'FROM_NETWORK',
  11: 'TO_NETWORK',
  12: 'FROM_CRYPTO',
  13: 'TO_CRYPTO',
  101: 'TO_ENDPOINT',
};
export const TRACE_REASONS = ['', 'NEW', 'ESTABLISHED', 'REPLY', 'RELATED', 'REOPENED', 'SRV6_ENCAP', 'SRV6_DECAP', 'ENCRYPT_OVERLAY'];
export const L7_TYPES = ['', 'REQUEST', 'RESPONSE', 'SAMPLE'];
/** A reason that the reader's proto has no name for comes as its number. */
export const NUMBERED: Readonly<Record<string, string>> = { 133: 'POLICY_DENIED', 181: 'POLICY_DENY', 189: 'AUTH_REQUIRED' };

export type Raw = Readonly<Record<string, unknown>>;

/** What does not fit, with the path to it. */
export class Misfit extends Error {}

export function misfit(path: string, wanted: string): never {
  throw new Misfit(`${path}: expected ${wanted}`);
}

export function record(value: unknown, path: string): Raw | undefined {
  if (value === undefined || value === null) return undefined;
  return typeof value === 'object' && !Array.isArray(value) ? (value as Raw) : misfit(path, 'an object');
}

export function text(value: unknown, path: string): string {
  if (value === undefined || value === null) return '';
  return typeof value === 'string' ? value : misfit(path, 'a text');
}

export function texts(value: unknown, path: string): readonly string[] {
  if (value === undefined || value === null) return [];
  const isTexts = Array.isArray(value) && value.every((one) => typeof one === 'string');
  return isTexts ? (value as readonly string[]) : misfit(path, 'a list of texts');
}

/** Numbers of 64 bits come as texts. */
export function whole(value: unknown, path: string): number {
  if (value === undefined || value === null) return 0;
  const number = typeof value === 'string' ? Number(value) : value;
  return typeof number === 'number' && Number.isFinite(number) ? number : misfit(path, 'a number');
}

export function named(value: unknown, names: readonly string[] | Readonly<Record<number, string>>, path: string): string {
  if (typeof value === 'number') return names[value] ?? String(value);
  return text(value, path);
}

export function flagOf(value: unknown): boolean | undefined {
  if (value === undefined || value === null) return undefined;
  if (typeof value === 'boolean') return value;
  const inner = record(value, 'is_reply')?.['value'];
  return inner === undefined || inner === null ? false : typeof inner === 'boolean' ? inner : misfit('is_reply', 'true or false');
}

export function timeOf(value: unknown): number {
  if (value === undefined || value === null) return Number.NaN;
  if (typeof value === 'string') return Date.parse(value);
  const { seconds, nanos } = record(value, 'time') as { readonly seconds?: unknown; readonly nanos?: unknown };
  return whole(seconds, 'time.seconds') * 1_000 + whole(nanos, 'time.nanos') / 1e6;
}
