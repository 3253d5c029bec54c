// `/mesh history`: the last operations from the audit record, as blocks that can be read.

import type { Past } from '../audit/history.ts';
import { formatTarget, type Target } from '../domain/target.ts';
import { verbIn } from '../domain/verbs.ts';
import { code, duration, moment, said } from '../domain/words.ts';
import { countsWords } from '../messages/ladder.ts';
import { type Answer, say, section } from './answer.ts';
import type { BotDeps } from './deps.ts';
import { permalink } from './link.ts';
import { outcomeWords } from './result-words.ts';
import { type ChannelRule, isRefused } from './rules.ts';

/** The last ten of one target, or of everything that this channel may look at. */
export async function historyAnswer(deps: BotDeps, target: Target | undefined, rule: ChannelRule): Promise<Answer> {
  const all = await deps.audit.history(target);
  const past = all.filter((one) => mayLook(one, rule));
  const where = target ? ` on ${code(formatTarget(target))}` : '';
  if (past.length === 0) return say(`No operation is recorded${where}.`);
  const head = `*The last ${past.length === 1 ? 'operation' : `${past.length} operations`}${where}*, newest first`;
  const lines = await Promise.all(past.map((one) => lineOf(deps, one, target === undefined)));
  return { text: [head, ...lines].join('\n'), blocks: [head, ...lines].map(section) };
}

function mayLook({ target }: Past, rule: ChannelRule): boolean {
  const [cluster = '', namespace = '', name = ''] = target.split('/');
  return !isRefused(rule.resolve({ cluster, namespace, name }, 'history'));
}

async function lineOf(deps: BotDeps, past: Past, named: boolean): Promise<string> {
  const link = await permalink(deps.web, past.message);
  const id = link ? `<${link}|${said(past.opId)}>` : said(past.opId);
  const took = past.endedAt === undefined ? '' : ` after ${duration(past.endedAt - past.startedAt)}`;
  const outcome = past.outcome === undefined ? 'not over yet' : `${outcomeWords(past.outcome)}${took}`;
  const by = past.requester === undefined ? '' : ` by ${said(past.requester, 80)}`;
  const approved = past.approvers.length === 0 ? '' : `, approved by ${past.approvers.map((one) => said(one, 80)).join(', ')}`;
  const asked = past.text === undefined ? '' : ` ${code(past.text.slice(0, 200))}`;
  return [
    `*${id}*${named ? ` ${code(past.target)}` : ''}  *${outcome}*  ${moment(past.startedAt)}`,
    `${asked.trim()}${by}${approved}`,
    ...numbersOf(past),
    ...(past.words === undefined ? [] : [said(past.words, 400)]),
  ]
    .filter((line) => line !== '')
    .join('\n');
}

function numbersOf({ counts, opId }: Past): readonly string[] {
  const verb = verbIn(opId);
  if (!verb || !counts || counts.canary.requests + counts.stable.requests === 0) return [];
  return [countsWords(counts, verb)];
}
