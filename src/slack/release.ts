// `/mesh release`: two people give up an undo that keeps failing.

import type { Actor } from '../domain/lifecycle/actor.ts';
import { targetOf } from '../domain/target.ts';
import { code, said } from '../domain/words/words.ts';
import type { ReleaseResult } from '../temporal/results.ts';
import { type Answer, say, sayPlain } from './answer.ts';
import type { BotDeps } from './deps.ts';
import { rollBackLost } from './lost.ts';
import { refusal, wordsFor } from './refusals.ts';
import { type ChannelRule, isRefused } from './rules.ts';

export async function answerRelease(
  deps: BotDeps,
  asked: { readonly operation: string; readonly reason?: string; readonly actor: Actor; readonly rule: ChannelRule },
): Promise<Answer> {
  const { operation, actor, reason, rule } = asked;
  const at = await deps.operations.find(operation);
  if (!at) return say(`There is no operation ${code(operation)}. Nothing was changed. ${code('status')} lists what runs.`);
  const target = targetOf(at);
  const allowed = target ? rule.resolve(target, 'release') : refusal('ForgedButton');
  if (isRefused(allowed)) return sayPlain(allowed.words);
  const result = await deps.operations.release(at, { actor, ...(reason === undefined ? {} : { reason }) });
  if (result.kind === 'refused') deps.meter.refused(result.code);
  const lost =
    result.kind === 'over'
      ? await rollBackLost(deps, { target: allowed, opId: operation }, { actor, ...(reason !== undefined && { reason }) })
      : undefined;
  return lost ?? words(result, operation);
}

function words(result: ReleaseResult, operation: string): Answer {
  switch (result.kind) {
    case 'accepted':
      return result.remaining > 0
        ? say(`Noted: you release *${said(operation)}*. One more approver has to; until then the undo goes on trying.`)
        : say(
            `*${said(operation)}* is released and ends as abandoned. Its change may still be in force: put it back by hand, its message has the commands.`,
          );
    case 'refused':
      return sayPlain(wordsFor(result.code, result.words));
    case 'over':
      return say(`*${said(operation)}* is over already; there was nothing to release.`);
    case 'not-confirmed':
      return say(
        '*Not confirmed.* Nobody answered in time, so your release may or may not have counted. It is safe to send the command again.',
      );
    default:
      return result satisfies never;
  }
}
