// `/mesh status`: what runs, how far it is, and how the last one ended.

import type { Actor } from '../domain/lifecycle/actor.ts';
import type { OperationView } from '../domain/lifecycle/operation.ts';
import { formatTarget, type Target, targetOf } from '../domain/target.ts';
import { code, frozenWords, moment, said } from '../domain/words/words.ts';
import { countsWords } from '../messages/ladder.ts';
import { type Answer, section } from './answer.ts';
import type { BotDeps } from './deps.ts';
import { handoverLines } from './handover.ts';
import { permalink } from './link.ts';
import { lostLines } from './lost.ts';
import { refuseRead } from './reading.ts';
import { runningWords } from './result-words.ts';
import { type ChannelRule, isRefused } from './rules.ts';

const MOST_SHOWN = 15;
/** Live weights are an extra: the answer does not wait longer for them. Milliseconds. */
const WEIGHTS_MS = 800;

/** Every operation that runs where this channel may look. */
export async function statusOfAll(deps: BotDeps, rule: ChannelRule): Promise<Answer> {
  const running = await deps.operations.listRunning();
  const visible = running.filter((at) => {
    const target = targetOf(at);
    return target !== undefined && !isRefused(rule.resolve(target, 'status'));
  });
  const lost = await lostLines(deps, (target) => !isRefused(rule.resolve(target, 'status')));
  const git = await handoverLines(deps, (target) => !isRefused(rule.resolve(target, 'status')));
  if (visible.length === 0) {
    const lines = [...lost, 'No operation runs.', ...git];
    return { text: lines.join('\n'), blocks: lines.map(section) };
  }
  const lines = await Promise.all(
    visible.slice(0, MOST_SHOWN).map(async (at) => {
      const answer = await deps.operations.describe(at);
      if (answer.kind === 'view') return viewLine(deps, answer.view);
      const name = code(at.workflowId.replace(/^mesh\//, ''));
      return answer.kind === 'gone' ? `${name}: has just ended` : `${name}: runs, but no worker answers for it now`;
    }),
  );
  const more = visible.length > MOST_SHOWN ? [`… and ${visible.length - MOST_SHOWN} more`] : [];
  const head = `*${visible.length === 1 ? 'One operation runs' : `${visible.length} operations run`}*`;
  const all = [...lost, head, ...lines, ...more, ...git];
  return { text: all.join('\n'), blocks: all.map(section) };
}

/** What runs on one target, its present weights, and how the last operation ended. */
export async function statusOfOne(deps: BotDeps, target: Target, asker: Actor): Promise<Answer> {
  const [described, last, weights, freeze, lost, git] = await Promise.all([
    deps.operations.on(target),
    deps.audit.lastEnded(target).catch(() => undefined),
    weightsOf(deps, target, asker),
    deps.freezes.active(target).catch(() => undefined),
    lostLines(deps, () => true, target),
    handoverLines(deps, () => true, target),
  ]);
  const name = code(formatTarget(target));
  const lines: string[] = [];
  lines.push(...lost);
  const { view } = described.kind === 'view' ? described : {};
  const isLost = lost.length > 0 && (view === undefined || lost.some((line) => line.includes(view.opId)));
  if (isLost) lines.push(`Nothing runs on ${name}.`);
  else if (described.kind === 'view' && described.view.phase !== 'over') lines.push(await viewLine(deps, described.view));
  else if (described.kind === 'silent') lines.push(`${name}: an operation is there, but no worker answers for it now.`);
  else lines.push(`Nothing runs on ${name}.`);
  if (freeze) lines.push(`Frozen: ${frozenWords(freeze)} New operations are refused and next steps wait; rollbacks still work.`);
  if (weights) lines.push(`Weights now: ${said(weights, 500)}`);
  if (last) {
    const ended = last.endedAt === undefined ? '' : ` ${moment(last.endedAt)}`;
    lines.push(`Last: *${said(last.opId)}* ended ${said(last.outcome ?? 'unknown')}${ended}. ${said(last.words ?? '', 1_000)}`);
  }
  lines.push(...git);
  return { text: lines.join('\n'), blocks: lines.map(section) };
}

async function viewLine(deps: BotDeps, view: OperationView): Promise<string> {
  const numbers = view.live ? `\n${countsWords(view.live.counts, view.verb)}` : '';
  return `${runningWords(view, await permalink(deps.web, view.message))} · ${said(view.target.cluster, 60)}${numbers}`;
}

async function weightsOf(deps: BotDeps, target: Target, asker: Actor): Promise<string | undefined> {
  if (!deps.liveWeights || (await refuseRead(deps, asker, target, 'routes'))) return undefined;
  try {
    return await deps.liveWeights(target, AbortSignal.timeout(WEIGHTS_MS));
  } catch (error) {
    deps.log.debug({ err: error }, 'the live weights could not be read for a status');
    return undefined;
  }
}
