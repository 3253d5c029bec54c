// `policy dryrun`: the result is a message that everybody sees, with a table as a file where it is long.

import type { PolicyCommand } from '../../domain/commands/command.ts';
import type { DryRun } from '../../domain/policy/dryrun/dry-run.ts';
import { UNKNOWN_REASONS } from '../../domain/policy/dryrun/flow.ts';
import type { FlowGroup } from '../../domain/policy/dryrun/group.ts';
import { dryRunCsv, dryRunSentences, groupSentence } from '../../domain/policy/dryrun/words.ts';
import { formatTarget, type Target } from '../../domain/target.ts';
import { clockTime, code, fitLines, number, person, plural, said } from '../../domain/words/words.ts';
import { type Ran, reachSentences, shortMemory } from '../../reading/policy/dry-run.ts';
import type { WrittenCandidate } from '../../reading/policy/sources/read-candidate.ts';
import { type Answer, say, sayPlain, section } from '../answer.ts';
import type { BotDeps } from '../deps.ts';
import { refusalOf } from '../refusals.ts';
import { afterwards } from './afterwards.ts';
import { askedFor, clusterSilent } from './candidate.ts';
import type { Later, PolicyAsked } from './parts.ts';
import { noteAsked } from './refuse.ts';
import { runDry } from './run-dry.ts';

const DEADLINE_MS = 15_000;
/** More groups than this come as a table in a file as well. */
const LONG = 8;

type Command = Extract<PolicyCommand, { readonly workload: unknown; readonly options: unknown }>;

export async function dryRunCommand(deps: BotDeps, asked: PolicyAsked, command: Command, later: Later): Promise<Answer> {
  const found = await askedFor(deps, asked, command);
  if ('refusal' in found) return found.refusal;
  const { target, candidate, note } = found;
  noteAsked(deps, asked, target, { sha256: candidate.sha256, source: candidate.source });
  const windowMs = command.options.windowMs ?? deps.config().policy.window;
  const work = async (): Promise<Answer | undefined> => {
    let ran: Ran;
    try {
      ran = await runDry(deps, { target, candidate, windowMs, deadlineMs: DEADLINE_MS });
    } catch (error) {
      return sayPlain(refusalOf(clusterSilent(target.cluster, error)).words);
    }
    if (ran.kind === 'wrong')
      return sayPlain(refusalOf({ code: 'BadCandidate', parameters: { source: candidate.source, words: ran.words } }).words);
    const short = command.options.windowMs === undefined ? undefined : shortMemory(ran);
    if (short) return sayPlain(refusalOf(short).words);
    await publish(deps, asked, target, candidate, ran);
    return undefined;
  };
  const full = afterwards(deps, later, work, asked.actor.id);
  if (full) return full;
  return say(
    `Dry run of ${said(candidate.source)} for ${code(formatTarget(target))}: reading what Hubble still holds. The result comes in this channel; nothing is changed.${note ? ` ${said(note, 500)}` : ''}`,
  );
}

async function publish(
  deps: BotDeps,
  asked: PolicyAsked,
  target: Target,
  candidate: WrittenCandidate,
  ran: Extract<Ran, { kind: 'ran' }>,
): Promise<void> {
  const { channelId } = asked.origin;
  const report = reportOf(asked, target, candidate, ran);
  const ts = await deps.policy.post(channelId, { text: report.text, blocks: [...(report.blocks ?? [])] }, asked.threadTs);
  const { run } = ran;
  if (run.wouldDrop.length + run.wouldAllow.length <= LONG) return;
  const bytes = new TextEncoder().encode(dryRunCsv(run));
  const name = `dry-run-${target.namespace}-${target.name}.csv`;
  const title = 'All groups of the dry run';
  await deps.policy.upload({ channelId, threadTs: asked.threadTs ?? ts, name, title, altText: title, comment: title, bytes });
}

/** The dry-run as a message. */
export function reportOf(
  asked: Pick<PolicyAsked, 'actor'>,
  target: Target,
  { source, sha256 }: Pick<WrittenCandidate, 'source' | 'sha256'>,
  ran: Extract<Ran, { kind: 'ran' }>,
): Answer {
  const { run } = ran;
  const { name, slack } = asked.actor;
  const who = person({ name, ...(slack ? { slackId: slack.userId } : {}) });
  const head = `*Dry run* of ${said(source)} (${code(sha256.slice(0, 12))}) for ${code(formatTarget(target))}, asked for by ${who}`;
  const [first = '', ...others] = dryRunSentences(run, 0);
  const summary = [first.replace(/: *\d+ more groups\.$/, '.'), ...others, ...reachSentences(ran)]
    .map((words) => said(words, 700))
    .join('\n');
  const paragraphs = [
    head,
    summary,
    ...groupsParagraph('✗ Would be dropped', run.wouldDrop),
    ...groupsParagraph('+ Would be newly allowed', run.wouldAllow),
    ...unknownParagraph(run),
  ];
  return { text: paragraphs.join('\n').slice(0, 3_000), blocks: paragraphs.map(section) };
}

function groupsParagraph(title: string, groups: readonly FlowGroup[]): readonly string[] {
  return groups.length === 0 ? [] : [fitLines([`*${title}*`, ...groups.map(groupLine)])];
}

function groupLine(group: FlowGroup): string {
  const { count, unit, firstSeen, lastSeen, example, peer, why, key } = group;
  const labels = peer.labels.length === 0 ? '' : ` ${code(peer.labels.join(', '))}`;
  const times = Number.isNaN(firstSeen) ? '' : `, ${clockTime(firstSeen)} to ${clockTime(lastSeen)}`;
  const one = `${code(`${example.source} → ${example.destination}`)}`;
  return `•  *${plural(count, unit)}* ${said(groupSentence(group))}${labels}${times}; for example ${one}. ${said(why)} Key ${code(key)}`;
}

function unknownParagraph({ unknown }: DryRun): readonly string[] {
  if (unknown.length === 0) return [];
  const lines = unknown.map(
    ({ reason, count, example }) =>
      `•  ${number(count)}: ${said(UNKNOWN_REASONS[reason])}; for example ${code(`${example.source} → ${example.destination}`)}`,
  );
  return [fitLines(['*? Not decided: these say too little, and nothing is guessed*', ...lines])];
}
