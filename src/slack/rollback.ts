// `/mesh rollback`: what runs is rolled back; where nothing runs, what completed last. A name that two verbs share is asked about.

import type { KnownBlock } from '@slack/types';
import type { Actor } from '../domain/lifecycle/actor.ts';
import { ACTION, encodeButton } from '../domain/lifecycle/button.ts';
import { type VerbName } from '../domain/lifecycle/change.ts';
import { alreadyBack, type Completed } from '../domain/lifecycle/way-back.ts';
import { formatTarget, shortNameOf, type Target, workflowIdOf } from '../domain/target.ts';
import { recordOf, VERB_NAMES } from '../domain/verb.ts';
import { code, moment, said } from '../domain/words/words.ts';
import type { RunningAt } from '../temporal/results.ts';
import { type Answer, say, sayPlain } from './answer.ts';
import { askForChange } from './change.ts';
import type { BotDeps } from './deps.ts';
import { rollBackLost } from './lost.ts';
import type { Origin } from './origin.ts';
import { refusalOf } from './refusals.ts';
import type { ChannelRule } from './rules.ts';
import { stop } from './stop.ts';

export interface RollbackAsked {
  readonly origin: Origin;
  readonly actor: Actor;
  readonly rule: ChannelRule;
  readonly target: Target;
  readonly reason?: string;
  /** What was typed, or what a button stands for. */
  readonly text: string;
}

type Later = (answer: Answer) => Promise<void>;
type Done = Completed & { readonly verb: VerbName };

/** What `/mesh rollback` means where nothing tells. */
const MEANT = VERB_NAMES.find((name) => recordOf(name).wayBack === 'rollback') ?? VERB_NAMES[0];

/** `only`: the verb that is meant, where the command says it. */
export async function rollback(deps: BotDeps, asked: RollbackAsked, later: Later, only?: VerbName): Promise<Answer> {
  const { target } = asked;
  const verbs = only === undefined ? VERB_NAMES : [only];
  const [running, known] = await Promise.all([deps.operations.running(target), lastOf(deps, target, verbs)]);
  const open = known?.filter(({ isWayBack }) => !isWayBack) ?? [];
  if (running) return rollbackRunning(deps, asked, running, { open, only });
  const lost = await rollBackLost(deps, { target }, { actor: asked.actor, ...(asked.reason !== undefined && { reason: asked.reason }) });
  if (lost) return lost;
  if (known === undefined) return begin(deps, asked, only ?? MEANT, undefined, later);
  const [first, ...others] = open;
  if (first && others.length === 0) return begin(deps, asked, first.verb, first.opId, later);
  if (first) return askWhich(deps, target, open);
  const [back] = known;
  if (back) return sayPlain(refusalOf(alreadyBack(shortNameOf(target), back)).words);
  return sayPlain(refusalOf(recordOf(only ?? MEANT).nothingBack(target)).words);
}

/** Starts the way back of one verb. `of`: the completed operation that is meant; its plan is refused once it is another one. */
export function begin(deps: BotDeps, asked: RollbackAsked, verb: VerbName, of: string | undefined, later: Later): Promise<Answer> {
  const { reason, ...rest } = asked;
  const change = { kind: 'back', ...(of !== undefined && { of }) } as const;
  const options = reason === undefined ? {} : { reason };
  return askForChange(deps, { ...rest, command: recordOf(verb).wayBack, wayBackOf: verb, change, options }, later);
}

/** The last completed operation of each verb; undefined when the database does not say. */
async function lastOf(deps: BotDeps, target: Target, verbs: readonly VerbName[]): Promise<readonly Done[] | undefined> {
  try {
    const last = await Promise.all(
      verbs.map(async (verb) => {
        const completed = await deps.audit.lastCompleted(target, verb);
        return completed && { ...completed, verb };
      }),
    );
    return last.filter((one) => one !== undefined);
  } catch (error) {
    deps.log.warn({ err: error }, 'the last completed operations could not be read for a rollback');
    return undefined;
  }
}

/**
 * What runs is what is meant, unless it is of another verb than the command, and one of the same name that has completed could be. A way back that runs already goes
 * on: rolling that back would put in force again what it takes away.
 */
async function rollbackRunning(
  deps: BotDeps,
  asked: RollbackAsked,
  running: RunningAt,
  { open, only }: { readonly open: readonly Done[]; readonly only: VerbName | undefined },
): Promise<Answer> {
  const name = code(formatTarget(asked.target));
  const other = open.find(({ verb }) => verb !== running.verb);
  if (only !== undefined && running.verb !== only) {
    return say(
      `${name} is busy with a ${said(running.verb)} operation, which this command does not mean. Nothing was changed. ${code('status')} shows it.`,
    );
  }
  if (only === undefined && running.verb !== MEANT && other) {
    const words = `Two things have the name ${name}: a ${said(running.verb)} operation that runs, and ${said(other.opId)}, which has completed. Nothing was changed. Which one?`;
    const after = `${said(other.opId)} can be rolled back when the ${said(running.verb)} operation is over.`;
    const choice = { label: `Roll back the ${running.verb} operation`, id: ACTION.rollback, at: running, opId: `${running.verb}-running` };
    return say(`${words}\n${after}`, ...buttons([choice]));
  }
  const described = await deps.operations.describe(running);
  if (described.kind === 'view' && described.view.takesBack) {
    const { opId, requester, startedAt } = described.view;
    return say(
      `${name} is being rolled back already: ${said(opId)}, asked by ${said(requester.name, 80)} ${moment(startedAt)}. Your command changed nothing.`,
    );
  }
  const { actor, reason } = asked;
  return stop(deps, running, formatTarget(asked.target), { actor, rollback: true, ...(reason !== undefined && { reason }) }, described);
}

async function askWhich(deps: BotDeps, target: Target, open: readonly Done[]): Promise<Answer> {
  const choices = await Promise.all(
    open.map(async ({ opId, verb }) => {
      const at = { workflowId: workflowIdOf(target), runId: (await deps.audit.operation(opId))?.runId ?? 'unknown' };
      return { label: `Roll back the ${verb} (${opId})`, id: ACTION.nextRollback, at, opId };
    }),
  );
  const lines = open.map(({ opId, endedAt }) => `•  ${said(opId)}${endedAt === undefined ? '' : `, completed ${moment(endedAt)}`}`);
  const words = `${open.length} operations on ${code(formatTarget(target))} could be meant. Nothing was changed. Which one?`;
  return say([words, ...lines].join('\n'), ...buttons(choices));
}

interface Choice {
  readonly label: string;
  readonly id: string;
  readonly at: { readonly workflowId: string; readonly runId: string };
  readonly opId: string;
}

/** One block each: two buttons of one block may not share an action. */
function buttons(choices: readonly Choice[]): readonly KnownBlock[] {
  return choices.map(({ label, id, at, opId }) => ({
    type: 'actions',
    elements: [
      {
        type: 'button',
        action_id: id,
        text: { type: 'plain_text', text: label.slice(0, 75), emoji: false },
        value: encodeButton({ ...at, opId }),
        style: 'danger',
      },
    ],
  }));
}
