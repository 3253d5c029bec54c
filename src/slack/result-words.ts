// What came of a request, in words for the person who asked.

import type { OperationRequest, OperationView } from '../domain/lifecycle/operation.ts';
import { OUTCOME_WORDS } from '../domain/lifecycle/outcome.ts';
import { formatTarget } from '../domain/target.ts';
import { clockTime, code, moment, person, said } from '../domain/words/words.ts';
import { headline } from '../messages/headline.ts';
import type { AbortResult, BeginResult, DecideResult, Settled } from '../temporal/results.ts';
import { type Answer, say, sayPlain } from './answer.ts';
import { wordsFor } from './refusals.ts';

export function beginAnswer(result: BeginResult, request: OperationRequest, link: string | undefined): Answer {
  const target = code(formatTarget(request.target));
  switch (result.kind) {
    case 'begun':
      return result.begun.continued
        ? say(
            `*${said(result.begun.opId)}* takes this as its next step on ${target}. Its message in <#${request.channel.channelId}> shows the plan in a moment.`,
          )
        : say(
            `*${said(result.begun.opId)}* has started on ${target}. The plan comes in <#${request.channel.channelId}> in a moment; nothing changes before it is there.`,
          );
    case 'busy':
      return say(
        `${target} is busy: ${runningWords(result.view, link)}\nYour command changed nothing. Wait for it, or stop it: ${code(`/mesh abort ${result.view.opId}`)}`,
      );
    case 'refused':
      return sayPlain(wordsFor(result.code, result.words));
    case 'not-confirmed':
      return say(
        `*Not confirmed.* meshops asked for the change of ${target}, but nobody answered in time, so it may or may not have started. ` +
          'It keeps asking and tells you here what is true. Do not send the command again; `/mesh status` shows what runs.',
      );
    default:
      return result satisfies never;
  }
}

/** The truth about a request that was not confirmed at first. */
export function settledAnswer(truth: Settled, request: OperationRequest, link: string | undefined): Answer {
  const about = `About ${code(request.text)}`;
  switch (truth.kind) {
    case 'unknown':
      return say(
        `${about}: it could not be learned whether it started. A request that nobody took ends by itself and changes nothing. ` +
          `Look at ${code(`/mesh status ${formatTarget(request.target)}`)} before you ask again.`,
      );
    case 'ended':
      return say(
        `${about}, which was not confirmed: *${said(truth.opId)}* took it and is over already: ${outcomeWords(truth.outcome)}. ${said(truth.words ?? '', 1_000)}`.trim(),
      );
    case 'begun':
    case 'busy':
    case 'refused':
      return say(`${about}, which was not confirmed: ${beginAnswer(truth, request, link).text}`);
    default:
      return truth satisfies never;
  }
}

/** How an operation ended, as people say it. */
export function outcomeWords(outcome: string): string {
  return Object.entries(OUTCOME_WORDS).find(([kind]) => kind === outcome)?.[1] ?? said(outcome);
}

/** One line on a running operation: its headline, until when, who asked, since when, where to read on. */
export function runningWords(view: OperationView, link: string | undefined): string {
  const asker = person({ name: view.requester.name, ...(view.requester.slack ? { slackId: view.requester.slack.userId } : {}) });
  const until = view.gate
    ? ` by ${clockTime(view.gate.expiresAt)}`
    : view.watchUntil === undefined
      ? ''
      : ` until ${clockTime(view.watchUntil)}`;
  const thread = link ? ` · <${link}|Its thread>` : '';
  return `*${said(headline(view), 140)}*${until} · ${code(view.opId)} · asked by ${asker} ${moment(view.startedAt)}${thread}`;
}

/** Undefined: the message itself shows what the click did. */
export function decideAnswer(result: DecideResult, outcome: string | undefined): Answer | undefined {
  switch (result.kind) {
    case 'accepted':
      return undefined;
    case 'refused':
      return sayPlain(wordsFor(result.code, result.words));
    case 'over':
      return say(outcome ? `This operation is over. ${said(outcome, 1_000)}` : 'This operation is over; your click changed nothing.');
    case 'not-confirmed':
      return say(
        '*Not confirmed.* Nobody answered in time, so your decision may or may not have counted. It is safe to press the button again.',
      );
    default:
      return result satisfies never;
  }
}

/** Of an operation that has its outcome, and runs on only until that has been told and recorded. */
export function alreadyOver({ opId, outcome }: OperationView): Answer {
  const kind = outcome ? ` (${said(outcome.kind)})` : '';
  return say(
    `*${said(opId)}* is over already${kind}; there was nothing to stop. Slack or the database has not taken its last word yet: ${code('/mesh rollback <service>')} rolls a completed operation back as soon as they have.`,
  );
}

export function abortAnswer(result: AbortResult, opId: string, rollback?: true): Answer {
  switch (result.kind) {
    case 'sent':
      if (rollback) return say(`*${said(opId)}* is being rolled back. Its message shows when that is done, or why it waits.`);
      return say(
        `*${said(opId)}* is being stopped; what it raised is rolled back, what it lowered stays low. Its message shows when that is done, or why it waits.`,
      );
    case 'over':
      return say(
        `*${said(opId)}* is over already; there was nothing to stop. ${code('/mesh rollback <service>')} rolls a completed operation back.`,
      );
    case 'not-confirmed':
      return say(`*Not confirmed.* Temporal did not answer in time, so *${said(opId)}* may still be running. It is safe to ask again.`);
    default:
      return result satisfies never;
  }
}
