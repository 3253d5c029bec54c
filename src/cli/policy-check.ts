import { annotationOf } from '../documents/annotations.ts';
import { readGiven } from '../documents/files.ts';
import { type LintedRun, lintTexts } from '../documents/lint.ts';
import { OWN_FILES } from '../documents/read.ts';
import { toSarif } from '../documents/sarif.ts';
import type { Finding, Severity } from '../domain/policy/lint/finding.ts';
import { EXIT } from './outcomes.ts';
import { visible } from './visible.ts';

export const FAIL_ON = ['error', 'warning', 'note', 'never'] as const;

interface PolicyCheckOptions {
  /** Files, folders, or `-` for stdin. All of them are judged together. */
  readonly files: readonly string[];
  readonly format: 'words' | 'json' | 'sarif' | 'github';
  /** The least that fails the check. */
  readonly failOn?: (typeof FAIL_ON)[number];
  /** Files or folders with policies that are there beside these. */
  readonly inForce?: readonly string[];
  /** Nothing to look at is no failure: for hooks that are given whatever was changed. */
  readonly allowEmpty?: boolean;
  readonly stdin: AsyncIterable<Uint8Array>;
  readonly signal: AbortSignal;
  readonly print: (line: string) => void;
}

/** What no check without a cluster can say. */
const NOTE =
  "Checked without a cluster, against the CRDs of Cilium 1.20.2: the server's strict dry-run against its own is still to come, and is made before the policy goes live.";

/** Says what is wrong with the policies in files, as words, JSON, SARIF 2.1.0 or annotations, and what was not looked at. Exit codes: `outcomes.ts`. */
export async function policyCheck(options: PolicyCheckOptions): Promise<number> {
  const { files, format, stdin, signal, print } = options;
  const { texts, unreadable: unread, passed } = await readGiven(files, stdin, signal);
  const others = await readGiven(options.inForce ?? [], stdin, signal);
  const run = lintTexts(texts, { inForce: others.texts, limits: OWN_FILES });
  const unreadable = [...unread, ...others.unreadable];
  const code = exitOf(run, unreadable.length, options);
  const { findings, policies, waived } = run;
  const looked = { files: texts.length, passed, policies, others: run.others, patches: run.patches, placeholders: run.placeholders };
  if (format === 'sarif') print(JSON.stringify(toSarif({ findings, unreadable, note: NOTE }), null, 2));
  else if (format === 'json')
    print(JSON.stringify({ ...looked, templates: run.templates, findings, waived, unreadable, exitCode: code, note: NOTE }));
  else printWords({ run, unreadable, looked, code, isGithub: format === 'github' }, print);
  return code;
}

const RANK: Readonly<Record<(typeof FAIL_ON)[number], number>> = { error: 0, warning: 1, note: 2, never: -1 };

function exitOf({ findings, policies, templates, unread, patches }: LintedRun, unreadable: number, options: PolicyCheckOptions): number {
  const { failOn = 'error', allowEmpty = false } = options;
  if (unreadable + unread > 0) return EXIT.unreadable;
  if (findings.some(({ severity, rule }) => RANK[severity] <= RANK[failOn] && rule !== 'template')) return EXIT.found;
  if (templates > 0) return EXIT.partly;
  return policies + patches > 0 || allowEmpty ? EXIT.fine : EXIT.empty;
}

interface Report {
  readonly run: LintedRun;
  readonly unreadable: readonly { readonly file: string; readonly words: string }[];
  readonly looked: { readonly files: number; readonly passed: number; readonly policies: number; readonly others: number };
  readonly code: number;
  readonly isGithub: boolean;
}

const MARKS: Readonly<Record<number, string>> = { [EXIT.fine]: '✓', [EXIT.found]: '✗', [EXIT.unreadable]: '✗' };

function printWords({ run, unreadable, looked, code, isGithub }: Report, print: (line: string) => void): void {
  const { findings, policies, waived } = run;
  for (const one of findings) for (const line of isGithub ? [annotationOf(one)] : wordsOf(one)) print(line);
  for (const { file, words } of unreadable) print(`✗ ${visible(file)}: ${visible(words)}`);
  for (const { finding, reason } of waived)
    print(`waived: ${visible(`${finding.file ?? '-'}:${finding.line} ${finding.rule}: ${reason}`)}`);
  const counts = (['error', 'warning', 'note'] as const).map((severity) => count(findings, severity)).filter((words) => words !== '');
  const found = policies === 0 ? 'No policy found, so nothing was checked' : `${policies} ${policies === 1 ? 'policy' : 'policies'}`;
  print(`${MARKS[code] ?? '?'} ${found}: ${counts.length === 0 ? 'nothing to say' : counts.join(', ')}.`);
  for (const line of notLooked(run, looked)) print(line);
  print(NOTE);
}

/** What was read, and what of it nobody checked. */
function notLooked({ placeholders, patches, templates }: LintedRun, { files, passed, others }: Report['looked']): readonly string[] {
  return [
    `${files} ${files === 1 ? 'text' : 'texts'} read${passed > 0 ? `, ${passed} files without policies passed over` : ''}${others > 0 ? `, ${others} objects of other kinds` : ''}.`,
    ...(placeholders > 0 ? [`Not checked: ${placeholders} values that are placeholders (\${…}, {{…}}), and what depends on them.`] : []),
    ...(patches > 0 ? [`Not checked: ${patches} patches for kustomize.`] : []),
    ...(templates > 0 ? [`Not checked: ${templates} templates that have to be rendered first.`] : []),
  ];
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
