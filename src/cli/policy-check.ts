import type { Finding, Severity } from '../domain/policy/lint/finding.ts';
import { readGiven } from '../policy/files.ts';
import { lintText } from '../policy/lint.ts';
import { toSarif } from '../policy/sarif.ts';

export interface PolicyCheckOptions {
  /** Files, folders, or `-` for stdin. */
  readonly files: readonly string[];
  readonly format: 'words' | 'json' | 'sarif';
  readonly stdin: AsyncIterable<Uint8Array>;
  readonly signal: AbortSignal;
  readonly print: (line: string) => void;
}

/** What no check without a cluster can say. */
const NOTE =
  "Checked without a cluster: the server's strict dry-run against its own CRDs is still to come, and is made before the policy goes live.";

/**
 * Says what is wrong with the policies in files, as words, JSON or SARIF 2.1.0. Exit code: 0 nothing that is an error, 1 at least one
 * finding of severity error, 2 something could not be read.
 */
export async function policyCheck({ files, format, stdin, signal, print }: PolicyCheckOptions): Promise<number> {
  const { texts, unreadable } = await readGiven(files, stdin, signal);
  const linted = texts.map(({ file, text }) => lintText(text, { file }));
  const findings = linted.flatMap((one) => one.findings);
  const policies = linted.reduce((sum, one) => sum + one.policies, 0);
  if (format === 'sarif') print(JSON.stringify(toSarif({ findings, unreadable, note: NOTE }), null, 2));
  else if (format === 'json') print(JSON.stringify({ files: texts.length, policies, findings, unreadable, note: NOTE }));
  else printWords({ findings, unreadable, policies }, print);
  if (unreadable.length > 0) return 2;
  return findings.some(({ severity }) => severity === 'error') ? 1 : 0;
}

interface Report {
  readonly findings: readonly Finding[];
  readonly unreadable: readonly { readonly file: string; readonly words: string }[];
  readonly policies: number;
}

function printWords({ findings, unreadable, policies }: Report, print: (line: string) => void): void {
  for (const one of findings) for (const line of wordsOf(one)) print(line);
  for (const { file, words } of unreadable) print(`✗ ${file}: ${words}`);
  const wrong = findings.some(({ severity }) => severity === 'error') || unreadable.length > 0;
  const counts = (['error', 'warning', 'note'] as const).map((severity) => count(findings, severity)).filter((words) => words !== '');
  const looked = policies === 0 ? 'No Cilium policy found' : `${policies} ${policies === 1 ? 'policy' : 'policies'}`;
  print(`${wrong ? '✗' : '✓'} ${looked}: ${counts.length === 0 ? 'nothing to say' : counts.join(', ')}.`);
  print(NOTE);
}

function count(findings: readonly Finding[], severity: Severity): string {
  const found = findings.filter((one) => one.severity === severity).length;
  return found === 0 ? '' : `${found} ${severity}${found === 1 ? '' : 's'}`;
}

/** `policy.yaml:12:5 error http-action spec.…`, then what happens, what to write, and the lines to replace. */
function wordsOf({ file, line, column, severity, rule, path, happens, instead, fix }: Finding): readonly string[] {
  const head = `${visible(file ?? '-')}:${line}:${column} ${severity} ${rule}${path === '' ? '' : ` ${visible(path)}`}`;
  const lines = [head, `    ${visible(happens)}`, `    → ${visible(instead)}`];
  if (!fix?.edit) return lines;
  const { edit } = fix;
  const where = edit.line === edit.endLine ? `line ${edit.line}` : `lines ${edit.line} to ${edit.endLine}`;
  const text = `${' '.repeat(edit.column - 1)}${edit.text}`.split('\n').map((one) => `    | ${visible(one)}`);
  return [...lines, `    ${fix.words} (${where}):`, ...text];
}

/** A terminal obeys control characters, wherever they come from. */
function visible(text: string): string {
  return text.replaceAll(/\p{Cc}/gu, (one) => `\\x${one.charCodeAt(0).toString(16).padStart(2, '0')}`);
}
