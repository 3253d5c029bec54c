import type { Severity } from './finding.ts';
import type { Draft } from './rule.ts';

/** What a rule has said about an object, before its place in the text is looked up. */
export interface Said extends Draft {
  readonly rule: string;
  readonly severity: Severity;
}
