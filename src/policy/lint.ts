import type { Finding, LintContext } from '../domain/policy/lint/finding.ts';
import { lintDocument } from '../domain/policy/lint/lint.ts';
import { readPolicies } from './read.ts';

export interface LintOptions {
  /** Name to show with each finding. */
  readonly file?: string;
  /** What is known about the cluster; without it nothing is said that depends on it. */
  readonly live?: LintContext;
}

export interface LintedText {
  readonly findings: readonly Finding[];
  /** Cilium policies in the text; other objects are passed over. */
  readonly policies: number;
}

/**
 * Everything that is known to be wrong with the policies in a YAML or JSON text of one or several documents. Total: a text that cannot
 * be read, is larger than 256 KiB, or holds aliases is one finding of severity error.
 */
export function lintText(text: string, options: LintOptions = {}): LintedText {
  const file = options.file === undefined ? {} : { file: options.file };
  const read = readPolicies(text);
  if (!read.ok) {
    const { words, ...problem } = read.problem;
    return {
      findings: [{ ...problem, ...file, severity: 'error', path: '', happens: words, instead: 'Nothing of it was checked.' }],
      policies: 0,
    };
  }
  const linted = read.documents.map((document) => lintDocument(document, options.live));
  return {
    findings: linted.flatMap(({ findings }) => findings.map((one) => ({ ...one, ...file }))),
    policies: linted.reduce((sum, { policies }) => sum + policies, 0),
  };
}

/** The findings alone. */
export function lintPolicy(text: string, options: LintOptions = {}): readonly Finding[] {
  return lintText(text, options).findings;
}
