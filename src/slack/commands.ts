// Slash commands: what was typed, who typed it, what comes of it.

import { changeOf } from '../domain/canary/change.ts';
import type { ChangeOptions, Command, CommandName, Misunderstanding } from '../domain/commands/command.ts';
import { parseCommand, type Root } from '../domain/commands/parse.ts';
import { changedBy, type SlashNames, slashed, verbOf } from '../domain/commands/verbs.ts';
import { type Change } from '../domain/lifecycle/change.ts';
import type { TargetText } from '../domain/target.ts';
import { isWayBack } from '../domain/verb.ts';
import { escapeMrkdwn } from '../domain/words/mrkdwn.ts';
import { sentence } from '../domain/words/sentences.ts';
import { code } from '../domain/words/words.ts';
import { commandRow } from '../messages/command-button.ts';
import { helpMessage } from '../messages/help.ts';
import type { AttachedFile } from '../reading/policy/sources/thread-file.ts';
import type { Admission, Admitted } from './admission.ts';
import { type Answer, say, sayPlain } from './answer.ts';
import { inBackground } from './background.ts';
import { askForChange } from './change.ts';
import type { BotDeps } from './deps.ts';
import { doctorAnswer } from './doctor.ts';
import { answerReview } from './emergency.ts';
import { answerEncryption } from './encryption/answer.ts';
import { firstUse, withHint } from './first-use.ts';
import { openForm } from './forms/open.ts';
import { answerFreeze } from './freezes.ts';
import { historyAnswer } from './history.ts';
import { rollBackLost } from './lost.ts';
import type { Origin } from './origin.ts';
import { requestIdOf } from './origin.ts';
import { answerPolicy } from './policy/answer.ts';
import { type Refused, refusal, refusalOf } from './refusals.ts';
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
  const { commands: names } = deps.config().slack;
  const all = Object.values(names);
  // Another app's name would be read as if it were ours.
  if (!all.includes(slash.command))
    return refuse(deps, slash, refusalOf({ code: 'OtherCommand', parameters: { command: slash.command, commands: all } }));
  const parsed = parseCommand(slash.text, { root: rootOf(deps, slash.command) });
  const once = parsed.kind !== 'misunderstood' && !READS.includes(parsed.kind);
  const admitted = await admission.admit(slash.origin, { claim: once, fresh: false, safe: SAFE.includes(parsed.kind) });
  if (admitted.kind === 'refused') return refuse(deps, slash, admitted);
  if (admitted.kind === 'replayed') {
    deps.meter.refused('Replay');
    const earlier = admitted.answer === undefined ? '' : `\nThe answer was: ${admitted.answer}`;
    return say(`${escapeMrkdwn(sentence('Replayed'))}${earlier}`);
  }
  const hint = parsed.kind === 'help' ? undefined : firstUse(deps, slash.origin);
  // The words of what is missing stand in where no form opens.
  if (parsed.kind === 'misunderstood' && (await isFormOpen(deps, slash, parsed, admitted))) return { text: parsed.words, isPosted: true };
  if (parsed.kind === 'misunderstood') return withHint(misunderstood(deps.config().slack.commands, slash.command, parsed), hint);
  const name = parsed.kind === 'change' ? parsed.command : parsed.kind;
  const forbidden = admitted.rule.refuse(name);
  if (forbidden) return refuse(deps, slash, forbidden);
  // Its plan could not be seen here, and nobody could approve it.
  if (!admitted.isMember && verbOf(name)?.gate === 'required') return refuse(deps, slash, refusal('NotInChannel'));
  const answer = await run(deps, parsed, slash, admitted, later);
  if (once) keepAnswer(deps, slash.origin, answer);
  return withHint(answer, hint);
}

/** A mention has no trigger to open a form with. */
async function isFormOpen(deps: BotDeps, slash: Slash, { form }: Misunderstanding, { actor, rule }: In): Promise<boolean> {
  if (!form || slash.threadTs !== undefined) return false;
  const { triggerId, channelId } = slash.origin;
  const target = form.target && rule.resolve(form.target, form.command);
  const given = target && !isRefused(target) ? { target } : {};
  return (await openForm(deps, { actor, rule }, { triggerId, command: form.command, memory: { channelId }, ...given })) === undefined;
}

function rootOf(deps: BotDeps, command: string): Root {
  const { policy, encryption } = deps.config().slack.commands;
  if (command === policy) return 'policy';
  return command === encryption ? 'encryption' : 'mesh';
}

/** A correction may stand behind the command it corrects. What it names can be pressed as well as pasted. */
function misunderstood(names: SlashNames, slash: string, { words, didYouMean, instead }: Misunderstanding): Answer {
  const meant = didYouMean === undefined ? undefined : `${slash} ${didYouMean}`;
  const others = instead?.map((text) => slashed(names, text));
  const hint = others
    ? `Until then: ${others.map((command) => code(command)).join(', ')}.`
    : meant === undefined
      ? `${code(`${slash} help`)} shows what there is.`
      : `Did you mean ${code(meant)}?`;
  const row = commandRow([
    ...(meant === undefined ? [] : [{ label: 'Run it', command: meant, spoken: `Run ${meant}` }]),
    { label: 'Help', command: `${slash} help` },
  ]);
  return say(`${escapeMrkdwn(words)} Nothing was changed. ${hint}`, ...(row ? [row] : []));
}

async function run(deps: BotDeps, command: Command, slash: Slash, admitted: In, later: Later): Promise<Answer> {
  const { actor, rule } = admitted;
  switch (command.kind) {
    case 'help':
      return helpMessage(deps.config().slack.commands, command.topic);
    case 'status': {
      if (!command.service) return statusOfAll(deps, rule);
      const target = rule.resolve(command.service, 'status');
      return isRefused(target) ? refuse(deps, slash, target) : statusOfOne(deps, target, actor);
    }
    case 'abort': {
      const reason = command.reason === undefined ? {} : { reason: command.reason };
      return stopByName(deps, { name: command.operation, actor, rule, ...reason });
    }
    case 'history': {
      const target = command.service && rule.resolve(command.service, 'history');
      return target && isRefused(target) ? refuse(deps, slash, target) : historyAnswer(deps, target, rule, command.filter);
    }
    case 'doctor':
      return doctorAnswer(deps, later);
    case 'freeze':
    case 'unfreeze':
      return answerFreeze(deps, command, { actor, origin: slash.origin });
    case 'review':
      return answerReview(deps, { ...command, actor, rule, origin: slash.origin });
    case 'release':
      return answerRelease(deps, { ...command, actor, rule });
    case 'canary':
    case 'promote':
    case 'ab':
      return change(
        deps,
        slash,
        admitted,
        { name: command.kind, target: command.service, change: changeOf(command), options: command.options },
        later,
      );
    case 'change':
      return change(deps, slash, admitted, { name: command.command, ...command }, later);
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
    case 'encryption status':
    case 'encryption advise': {
      const { command: name, text, ...rest } = slash;
      return answerEncryption(deps, { ...rest, actor, rule, text: `${name} ${text}` }, command, later);
    }
  }
}

interface Wanted {
  readonly name: CommandName;
  readonly target: TargetText;
  readonly change: Change;
  readonly options: ChangeOptions;
}

async function change(deps: BotDeps, slash: Slash, { actor, rule }: In, wanted: Wanted, later: Later): Promise<Answer> {
  const { name, change: asked, options } = wanted;
  const target = rule.resolve(wanted.target, name);
  if (isRefused(target)) return refuse(deps, slash, target);
  const { reason } = options;
  // Zero is wanted where nobody watches: back to what was before comes first, since nobody else may write there.
  const isBack = isWayBack({ verb: changedBy(name), change: asked });
  const lost = isBack ? await rollBackLost(deps, { target }, { actor, ...(reason !== undefined && { reason }) }) : undefined;
  if (lost) return lost;
  const text = `${slash.command} ${slash.text}`;
  return askForChange(deps, { origin: slash.origin, actor, rule, target, command: name, change: asked, options, text }, later);
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
