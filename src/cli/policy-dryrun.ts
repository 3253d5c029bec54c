import { createReadStream } from 'node:fs';
import { createInterface } from 'node:readline';
import { type DryRun, dryRun } from '../domain/policy/dryrun/dry-run.ts';
import { UNKNOWN_REASONS } from '../domain/policy/dryrun/flow.ts';
import { type ReadFlow, readRecordedLine } from '../domain/policy/dryrun/recorded.ts';
import { dryRunCsv, dryRunSentences, groupSentence, instant } from '../domain/policy/dryrun/words.ts';
import { parsePolicy } from '../domain/policy/parse.ts';
import type { Policy } from '../domain/policy/policy.ts';
import { readGiven } from '../policy/files.ts';
import { readPolicies } from '../policy/read.ts';

export interface PolicyDryRunOptions {
  readonly candidate: string;
  /** JSON lines as `hubble observe -o jsonpb` prints them; `-` for stdin. */
  readonly flows: string;
  /** Files and folders with the policies that are in force; none: nothing is in force. */
  readonly inForce: readonly string[];
  readonly format: 'words' | 'json' | 'csv';
  readonly stdin: NodeJS.ReadableStream & AsyncIterable<Uint8Array>;
  readonly signal: AbortSignal;
  readonly print: (line: string) => void;
}

/** More records than this are not read: the rest is said to be missing. */
const MOST_RECORDS = 2_000_000;

/**
 * Says which recorded connections a candidate would drop or newly allow. Exit code: 0 it would drop nothing, 1 it would drop
 * something, 2 the candidate, a policy or the recording cannot be read.
 */
export async function policyDryRun(options: PolicyDryRunOptions): Promise<number> {
  const { candidate: file, print, signal, stdin } = options;
  const [own, others] = await Promise.all([readGiven([file], stdin, signal), readGiven(options.inForce, stdin, signal)]);
  const candidates = policiesIn(own);
  const inForce = policiesIn(others);
  const problems = [...candidates.problems, ...inForce.problems];
  const [candidate, ...more] = candidates.policies;
  if (problems.length === 0 && (!candidate || more.length > 0)) {
    problems.push(`${file}: it holds ${candidates.policies.length} policies; one candidate is decided at a time.`);
  }
  let flows: readonly ReadFlow[] = [];
  try {
    flows = await readLines(options.flows === '-' ? stdin : createReadStream(options.flows), signal);
  } catch (error) {
    problems.push(`${options.flows}: It cannot be read: ${error instanceof Error ? error.message : String(error)}`);
  }
  if (problems.length > 0 || !candidate) {
    for (const words of problems) print(`✗ ${words}`);
    return 2;
  }
  const run = dryRun({ flows, inForce: inForce.policies, candidate });
  if (options.format === 'json') print(JSON.stringify(run));
  else if (options.format === 'csv') print(dryRunCsv(run).trimEnd());
  else for (const line of wordsOf(run, flows.length >= MOST_RECORDS)) print(visible(line));
  return run.wouldDrop.length > 0 ? 1 : 0;
}

function policiesIn({ texts, unreadable }: Awaited<ReturnType<typeof readGiven>>): { policies: readonly Policy[]; problems: string[] } {
  const problems = unreadable.map(({ file, words }) => `${file}: ${words}`);
  const policies = texts.flatMap(({ file, text }) => {
    const read = readPolicies(text);
    if (!read.ok) {
      problems.push(`${file}:${read.problem.line}: ${read.problem.words}`);
      return [];
    }
    return read.documents.flatMap(({ value }) => {
      const parsed = parsePolicy(value);
      if (!parsed.ok) problems.push(`${file}: ${parsed.policy || 'a document'} would be rejected: ${parsed.error}`);
      return parsed.ok ? [parsed.policy] : [];
    });
  });
  return { policies, problems };
}

async function readLines(input: NodeJS.ReadableStream, signal: AbortSignal): Promise<readonly ReadFlow[]> {
  const flows: ReadFlow[] = [];
  const lines = createInterface({ input, crlfDelay: Number.POSITIVE_INFINITY, signal });
  // A file that is not there says so on the stream and not on the lines.
  const broken = new Promise<never>((_resolve, reject) => input.once('error', reject));
  const all = (async () => {
    for await (const line of lines) {
      if (line.trim() !== '' && flows.length < MOST_RECORDS) flows.push(readRecordedLine(line));
    }
    return flows;
  })();
  return Promise.race([all, broken]);
}

function wordsOf(run: DryRun, cut: boolean): readonly string[] {
  const { wouldDrop, wouldAllow, unknown, records, unreadable, from, until } = run;
  const span = from === undefined || until === undefined ? '' : `, ${instant(from)} to ${instant(until)}`;
  return [
    `${wouldDrop.length > 0 ? '✗' : '✓'} ${dryRunSentences(run, 0)[0]?.replace(/: \d+ more groups\.$/, '.')}`,
    ...[...wouldDrop.map((group) => ['would drop', group] as const), ...wouldAllow.map((group) => ['would allow', group] as const)].flatMap(
      ([change, group]) => [
        `${change}: ${groupSentence(group)}: ${group.count} ${group.unit}(s), ${instant(group.firstSeen)} to ${instant(group.lastSeen)}`,
        `    for example ${group.example.source} → ${group.example.destination}. ${group.why}`,
        `    --accept ${group.key}`,
      ],
    ),
    ...unknown.map(
      ({ reason, count, example }) =>
        `not decided: ${count}, ${UNKNOWN_REASONS[reason]}, for example ${example.source} → ${example.destination}`,
    ),
    ...dryRunSentences(run, 0).slice(1),
    `${records} records read${span}${unreadable > 0 ? `; ${unreadable} lines are no flows` : ''}${cut ? '; the rest of the file was left out' : ''}.`,
  ];
}

/** A terminal obeys control characters, wherever they come from. */
function visible(text: string): string {
  return text.replaceAll(/\p{Cc}/gu, (one) => `\\x${one.charCodeAt(0).toString(16).padStart(2, '0')}`);
}
