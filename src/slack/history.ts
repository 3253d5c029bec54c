// `/mesh history`: the last operations from the audit record, as blocks that can be read.

import type { Past } from '../audit/history.ts';
import type { HistoryFilter } from '../domain/commands/command.ts';
import { formatTarget, type Target } from '../domain/target.ts';
import { verbIn } from '../domain/verb.ts';
import { code, duration, moment, said } from '../domain/words/words.ts';
import { countsWords } from '../messages/ladder.ts';
import { type Answer, say, section } from './answer.ts';
import type { BotDeps } from './deps.ts';
import { permalink } from './link.ts';
import { outcomeWords } from './result-words.ts';
import { type ChannelRule, isRefused } from './rules.ts';

const MOST_SHOWN = 10;
/** Where a channel may not look at everything, so many are looked through for ten that it may. */
const MOST_LOOKED = 500;

/** The last ten of one target, or of everything that this channel may look at. */
export async function historyAnswer(
  deps: BotDeps,
  target: Target | undefined,
  rule: ChannelRule,
  asked: HistoryFilter = {},
): Promise<Answer> {
  const { sinceMs, who, ofVerb, outcome } = asked;
  const filter = {
    ...(sinceMs !== undefined && { since: deps.now() - sinceMs }),
    ...(who !== undefined && { who }),
    ...(ofVerb !== undefined && { verb: ofVerb }),
    ...(outcome !== undefined && { outcome }),
  };
  const first = await deps.audit.history(target, filter, MOST_SHOWN);
  const isHidden = first.some((one) => !mayLook(one, rule));
  const all = isHidden ? await deps.audit.history(target, filter, MOST_LOOKED) : first;
  const past = all.filter((one) => mayLook(one, rule)).slice(0, MOST_SHOWN);
  const such = Object.keys(filter).length > 0 ? ' such' : '';
  const where = target ? ` on ${code(formatTarget(target))}` : '';
  if (past.length === 0) return say(`No${such} operation is recorded${where}.`);
  const head = `*The last ${past.length === 1 ? 'operation' : `${past.length} operations`}${where}*, newest first`;
  const lines = await Promise.all(past.map((one) => lineOf(deps, one, target === undefined)));
  const { mesh } = deps.config().slack.commands;
  const tip = section(`Fewer: ${code(`${mesh} history --since 7d --who operator --verb canary --outcome rolled-back`)}`);
  return { text: [head, ...lines].join('\n'), blocks: [...[head, ...lines].map(section), tip] };
}

/** One line for each of the last ten that `isSeen`, for Home. */
export async function pastLines(deps: BotDeps, isSeen: (target: Target) => Promise<boolean>): Promise<readonly string[]> {
  const all = await deps.audit.history(undefined);
  const seen = await Promise.all(all.map((one) => isSeen(placeOf(one))));
  return Promise.all(all.filter((_, at) => seen[at]).map((one) => shortLine(deps, one)));
}

async function shortLine(deps: BotDeps, past: Past): Promise<string> {
  const link = await permalink(deps.web, past.message);
  const when = moment(past.endedAt ?? past.startedAt);
  const what = past.text === undefined ? said(past.opId) : code(past.text.slice(0, 120));
  const outcome = past.outcome === undefined ? 'not over yet' : outcomeWords(past.outcome);
  const by = past.requester === undefined ? '' : ` · ${said(past.requester, 80)}`;
  return `${when} · ${what} · *${outcome}*${by}${link ? ` · <${link}|message>` : ''}`;
}

function placeOf({ target }: Past): Target {
  const [cluster = '', namespace = '', name = ''] = target.split('/');
  return { cluster, namespace, name };
}

function mayLook(past: Past, rule: ChannelRule): boolean {
  return !isRefused(rule.resolve(placeOf(past), 'history'));
}

async function lineOf(deps: BotDeps, past: Past, named: boolean): Promise<string> {
  const link = await permalink(deps.web, past.message);
  const id = link ? `<${link}|${said(past.opId)}>` : said(past.opId);
  const tookMs = (past.endedAt ?? 0) - past.startedAt;
  const took = past.endedAt === undefined ? '' : tookMs < 100 ? ' at once' : ` after ${duration(tookMs)}`;
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
