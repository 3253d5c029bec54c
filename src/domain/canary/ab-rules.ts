import type { JsonObject } from '../json.ts';
import type { Header } from './change.ts';

/** Our rules bear this name (Gateway API, HTTPRouteRule.name), with a number: by it they are found again, and nothing else is. */
export const OURS = 'meshops-ab-';
/** The one managed field of header A/B. */
export const RULES = '/spec/rules';

export function isOurs({ name }: JsonObject): boolean {
  return typeof name === 'string' && name.startsWith(OURS);
}

export function headerWords({ name, value }: Header): string {
  return `${name}=${value}`;
}
