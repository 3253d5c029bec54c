// Slash commands: what was typed, who typed it, what comes of it.

import type { AttachedFile } from '../../activities/policy/sources/thread-file.ts';
import { changeOf } from '../domain/canary/change.ts';
import { parseCommand, type Root } from '../domain/command/parse.ts';
import type { Command, Misunderstanding } from '../domain/command.ts';
import { escapeMrkdwn } from '../domain/mrkdwn.ts';
import { type Change, isWayBack } from '../domain/operation.ts';
import { sentence } from '../domain/sentences.ts';
import { verbOf } from '../domain/verbs.ts';
import { code } from '../domain/words.ts';
import type { Admission, Admitted, Origin } from './admission.ts';
import { requestIdOf } from './admission.ts';
import { type Answer, say, sayPlain } from './answer.ts';
import { inBackground } from './background.ts';
import { askForChange } from './change.ts';
import type { BotDeps } from './deps.ts';
import { doctorAnswer } from './doctor.ts';
import { answerFreeze } from './freezes.ts';
import { helpAnswer } from './help.ts';
import { historyAnswer } from './history.ts';
import { rollBackLost } from './lost.ts';
import { answerPolicy } from './policy/answer.ts';
import { type Refused, refusal } from './refusals.ts';
import { answerRelease } from './release.ts';
import { rollback } from './rollback.ts';
import { isRefused } from './rules.ts';
import { statusOfAll, statusOfOne } from './status.ts';
import { stopByName } from './stop.ts';

export interface Slash {
  readonly origin: Origin;
  /** The command's name as typed, with the slash. */
  readonly command: string;
  readonly text: string;
  /** A policy that was attached, what it must hash to, and where results go: by mention and by button. */
  readonly file?: AttachedFile;
  readonly sha256?: string;
  readonly threadTs?: string;
}

type Later = (answer: Answer) => Promise<void>;
type In = Extract<Admitted, { kind: 'admitted' }>;

/** Commands that may be taken twice: what they cost is bounded. All others change something, post, or ask the cluster at length. */
const READS: readonly Command['kind'][] = ['help', 'history'];
/** The safe direction. */
const SAFE: readonly string[] = ['abort', 'rollback'];

/** The answer to one slash command. `later` is used when the truth is known only after the answer. */
export async function answerSlash(deps: BotDeps, admission: Admission, slash: Slash, later: Later): Promise<Answer> {
  const parsed = parseCommand(slash.text, { root: rootOf(deps, slash.command) });
  const once = parsed.kind !== 'misunderstood' && !READS.includes(parsed.kind);
  const admitted = await admission.admit(slash.origin, { claim: once, fresh: false, safe: SAFE.includes(parsed.kind) });
  if (admitted.kind === 'refused') return refuse(deps, slash, admitted);
  if (admitted.kind === 'replayed') {
    deps.meter.refused('Replay');
    const earlier = admitted.answer === undefined ? '' : `\nThe answer was: ${admitted.answer}`;
    return say(`${escapeMrkdwn(sentence('Replayed'))}${earlier}`);
  }
  if (parsed.kind === 'misunderstood') return misunderstood(slash.command, parsed);
  const forbidden = admitted.rule.refuse(parsed.kind);
  if (forbidden) return refuse(deps, slash, forbidden);
  // Its plan could not be seen here, and nobody could approve it.
  if (!admitted.isMember && verbOf(parsed.kind)?.gate === 'required') return refuse(deps, slash, refusal('NotInChannel'));
  const answer = await run(deps, parsed, slash, admitted, later);
  if (once) keepAnswer(deps, slash.origin, answer);
  return answer;
}

function rootOf(deps: BotDeps, command: string): Root {
  const { policy, encryption } = deps.config().slack.commands;
  if (command === policy) return 'policy';
  return command === encryption ? 'encryption' : 'mesh';
}

/** A correction may stand behind the command it corrects. */
function misunderstood(slash: string, parsed: Misunderstanding): Answer {
  const hint =
    parsed.didYouMean === undefined
      ? `${code(`${slash} help`)} shows all commands.`
      : `Did you mean ${code(`${slash} ${parsed.didYouMean}`)}?`;
  return say(`${escapeMrkdwn(parsed.words)} Nothing was changed. ${hint}`);
}

async function run(deps: BotDeps, command: Command, slash: Slash, admitted: In, later: Later): Promise<Answer> {
  const { actor, rule } = admitted;
  switch (command.kind) {
    case 'help':
      return helpAnswer(deps.config().slack.commands.mesh, command.topic);
    case 'status': {
      if (!command.service) return statusOfAll(deps, rule);
      const target = rule.resolve(command.service, 'status');
      return isRefused(target) ? refuse(deps, slash, target) : statusOfOne(deps, target);
    }
    case 'abort': {
      const reason = command.reason === undefined ? {} : { reason: command.reason };
      return stopByName(deps, { name: command.operation, actor, rule, ...reason });
    }
    case 'history': {
      const target = command.service && rule.resolve(command.service, 'history');
      return target && isRefused(target) ? refuse(deps, slash, target) : historyAnswer(deps, target, rule);
    }
    case 'doctor':
      return doctorAnswer(deps, later);
    case 'freeze':
    case 'unfreeze':
      return answerFreeze(deps, command, { actor, origin: slash.origin });
    case 'release':
      return answerRelease(deps, { ...command, actor, rule });
    case 'canary':
    case 'promote':
    case 'ab':
      return change(deps, slash, admitted, command, changeOf(command), later);
    case 'rollback': {
      const target = rule.resolve(command.service, command.kind);
      if (isRefused(target)) return refuse(deps, slash, target);
      const { reason } = command.options;
      const text = `${slash.command} ${slash.text}`;
      return rollback(deps, { origin: slash.origin, actor, rule, target, text, ...(reason !== undefined && { reason }) }, later);
    }
    case 'policy enforce':
    case 'policy check':
    case 'policy dryrun':
    case 'policy learn':
    case 'policy observe':
    case 'policy relax':
    case 'policy explain':
    case 'policy status':
    case 'policy bootstrap': {
      const { command: name, text, ...rest } = slash;
      return answerPolicy(deps, { ...rest, actor, rule, text: `${name} ${text}` }, command, later);
    }
  }
}

type Changing = Extract<Command, { readonly options: unknown; readonly service: unknown }>;

async function change(deps: BotDeps, slash: Slash, { actor, rule }: In, command: Changing, wanted: Change, later: Later): Promise<Answer> {
  const target = rule.resolve(command.service, command.kind);
  if (isRefused(target)) return refuse(deps, slash, target);
  // Zero is wanted where nobody watches: back to what was before comes first, since nobody else may write there.
  const lost = isWayBack(wanted) ? await rollBackLost(deps, { target }, { actor, ...reasonIn(command) }) : undefined;
  if (lost) return lost;
  const text = `${slash.command} ${slash.text}`;
  return askForChange(
    deps,
    { origin: slash.origin, actor, rule, target, command: command.kind, change: wanted, options: command.options, text },
    later,
  );
}

function reasonIn({ options: { reason } }: Changing): { readonly reason?: string } {
  return reason === undefined ? {} : { reason };
}

function refuse(deps: BotDeps, slash: Slash, refused: Refused): Answer {
  deps.meter.refused(refused.code);
  const { origin } = slash;
  const data = { text: `${slash.command} ${slash.text}`.slice(0, 500), channel: origin.channelId, team: origin.teamId };
  deps.refusals.note({ origin, code: refused.code, actor: origin.userId, data });
  return sayPlain(refused.words);
}

function keepAnswer(deps: BotDeps, origin: Origin, answer: Answer): void {
  inBackground(deps, 'the answer to a request could not be kept for a replay', () =>
    deps.requests.answer(requestIdOf(origin), answer.text),
  );
}
