import { readGiven } from '../documents/files.ts';
import { policiesIn } from '../documents/policies.ts';
import { type DryRun, DryRunner } from '../domain/policy/dryrun/dry-run.ts';
import { UNKNOWN_REASONS } from '../domain/policy/dryrun/flow.ts';
import { decidedIn, dryRunCsv, dryRunSentences, groupSentence, instant } from '../domain/policy/dryrun/words.ts';
import { EXIT } from './outcomes.ts';
import { openRecording, type Recording, type Tally, WANTED_FORM } from './recording.ts';
import { visible } from './visible.ts';

interface PolicyDryRunOptions {
  readonly candidate: string;
  /** A recording in any form that people have; `-` for stdin. */
  readonly flows: string;
  /** Files and folders with the policies that are in force; none: nothing is in force. */
  readonly inForce: readonly string[];
  /** Where policies without a namespace go. */
  readonly namespace?: string;
  /** Left out: as the recording says. */
  readonly clusterName?: string;
  readonly format: 'words' | 'json' | 'csv';
  readonly stdin: AsyncIterable<Uint8Array>;
  readonly signal: AbortSignal;
  readonly print: (line: string) => void;
}

/** Says which recorded connections a candidate would drop or newly allow, how many it looked at, and what could not be decided. Exit codes: `outcomes.ts`. */
export async function policyDryRun(options: PolicyDryRunOptions): Promise<number> {
  const { candidate: file, print, signal, stdin, namespace } = options;
  const [own, others] = await Promise.all([readGiven([file], stdin, signal), readGiven(options.inForce, stdin, signal)]);
  const opened = await openRecordingOf(options);
  const clusterName = 'recording' in opened ? opened.recording.clusterName : undefined;
  const [candidates, inForce] = [own, others].map(({ texts }) => policiesIn(texts, { namespace, clusterName }));
  const problems = [
    ...[...own.unreadable, ...others.unreadable].map(({ file: name, words }) => `${name}: ${words}`),
    ...(candidates?.problems ?? []),
    ...(inForce?.problems ?? []),
    ...('problem' in opened ? [opened.problem] : []),
  ];
  const [candidate, ...more] = candidates?.policies ?? [];
  if (problems.length === 0 && (!candidate || more.length > 0)) {
    problems.push(`${file}: it holds ${candidates?.policies.length ?? 0} policies; one candidate is decided at a time.`);
  }
  if (problems.length > 0 || !candidate || !inForce || !('recording' in opened)) {
    for (const words of problems) print(`✗ ${visible(words)}`);
    return EXIT.unreadable;
  }
  const { recording } = opened;
  const runner = new DryRunner({ inForce: inForce.policies, candidate, ...(clusterName === undefined ? {} : { clusterName }) });
  const cutOff = await feed(recording, runner, signal);
  const run = runner.result();
  const forNodes = candidate.rules.some(({ subject }) => subject.node);
  const code = exitOf(run, recording.tally, { cutOff, forNodes });
  const facts = { run, tally: recording.tally, cutOff, code, forNodes, inForce: inForce.policies.length };
  if (options.format === 'json') print(JSON.stringify({ ...run, inForce: facts.inForce, decided: decidedIn(run), exitCode: code }));
  else if (options.format === 'csv') print(dryRunCsv(run).trimEnd());
  else for (const line of wordsOf(facts)) print(visible(line));
  return code;
}

async function openRecordingOf(options: PolicyDryRunOptions): Promise<{ readonly recording: Recording } | { readonly problem: string }> {
  const { flows: file, stdin, clusterName, signal } = options;
  try {
    const opened = await openRecording({ file, stdin, clusterName, signal });
    return 'problem' in opened ? opened : { recording: opened };
  } catch (error) {
    signal.throwIfAborted();
    return { problem: `${file}: It cannot be read: ${error instanceof Error ? error.message : String(error)}` };
  }
}

/** Why the recording broke off in the middle, if it did. */
async function feed(recording: Recording, runner: DryRunner, signal: AbortSignal): Promise<string | undefined> {
  try {
    for await (const batch of recording.flows) for (const one of batch) runner.take(one);
    return undefined;
  } catch (error) {
    signal.throwIfAborted();
    return error instanceof Error ? error.message : String(error);
  }
}

interface Limits {
  readonly cutOff: string | undefined;
  /** The candidate has rules for nodes, which are not decided. */
  readonly forNodes: boolean;
}

function exitOf(run: DryRun, { records, unreadable, texts }: Tally, { cutOff, forNodes }: Limits): number {
  const decided = decidedIn(run);
  if (run.wouldDrop.length > 0) return EXIT.found;
  if (records === 0 && (unreadable > 0 || cutOff !== undefined)) return EXIT.unreadable;
  if (decided === 0 && texts > 0) return EXIT.unreadable;
  if (unreadable > 0 || cutOff !== undefined || run.lost > 0) return EXIT.partly;
  if (run.unknown.length > 0 || forNodes) return EXIT.undecided;
  return decided === 0 ? EXIT.empty : EXIT.fine;
}

interface Facts extends Limits {
  readonly run: DryRun;
  readonly tally: Tally;
  readonly code: number;
  readonly inForce: number;
}

const MARKS: Readonly<Record<number, string>> = { [EXIT.fine]: '✓', [EXIT.found]: '✗', [EXIT.unreadable]: '✗' };

function wordsOf({ run, tally, cutOff, forNodes, code, inForce }: Facts): readonly string[] {
  const { wouldDrop, wouldAllow, unknown, records, from, until } = run;
  const span = from === undefined || until === undefined ? '' : `, ${instant(from)} to ${instant(until)}`;
  const undecided = unknown.reduce((sum, { count }) => sum + count, 0);
  return [
    `${MARKS[code] ?? '?'} ${dryRunSentences(run, 0)[0]?.replace(/: \d+ more groups\.$/, '.')}`,
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
    `${records} records read${span}${tally.unreadable > 0 ? `; ${tally.unreadable} lines are no flows (${tally.firstWrong ?? ''})` : ''}.`,
    `${decidedIn(run)} connections and requests of these pods decided, ${undecided} not decided, under ${inForce} policies in force.`,
    ...(forNodes ? ['Rules for nodes (nodeSelector) are not decided from records.'] : []),
    ...(cutOff === undefined ? [] : [`The recording breaks off: ${cutOff}.`]),
    ...(records === 0 || tally.texts > 0 ? [`${WANTED_FORM}.`] : []),
  ];
}
