import { Context } from '@temporalio/activity';
import type { VerbName } from '../src/domain/lifecycle/change.ts';
import type { Shared, Steps } from '../src/domain/lifecycle/contract.ts';
import type { MessageRef } from '../src/domain/lifecycle/operation.ts';
import { formatTarget } from '../src/domain/target.ts';
import { isWayBack, recordOf, VERB_NAMES } from '../src/domain/verb.ts';
import type { Beside, Freezes, MayStill, People, WatchRecords } from '../src/ports.ts';
import { attend } from './attend.ts';
import { asDatabase, mapped, SlackAway } from './failures.ts';
import { checkAlone, othersIn } from './planning/alone.ts';
import { refuseTooLarge } from './planning/plan-size.ts';
import { Recorder } from './watch/recorder.ts';
import type { VerbDeps, VerbSteps } from './watch/verb-steps.ts';
import { inspect } from './writes/inspect.ts';

/** The steps of each verb, from its own folder: the list of verbs stands in src/domain/verb.ts and nowhere else. */
const STEPS = new Map(
  await Promise.all(
    VERB_NAMES.map(async (verb) => [verb, ((await import(`./${verb}/steps.ts`)) as { readonly steps: VerbSteps }).steps] as const),
  ),
);

/** What the activities of one cluster's worker are made of. `announce` is createAnnounce of ./announce/index.ts. */
export interface ActivityDeps extends Omit<VerbDeps, 'editMessage' | 'recorder'> {
  /** Where what the judges hear is kept for a replay; left out: nowhere. */
  readonly records?: WatchRecords;
  /** Bytes of a value as one payload of Temporal; left out: its JSON text. */
  readonly payloadSize?: (value: unknown) => Promise<number>;
  readonly people: People;
  /** What else runs. Left out: nothing holds a whole cluster. */
  readonly beside?: Beside;
  /** Left out: who has asked is not looked at again. */
  readonly mayStill?: MayStill;
  readonly freezes: Freezes;
  readonly announce: Pick<Shared, 'announce' | 'say' | 'chart'> &
    Pick<VerbDeps, 'editMessage'> & { readonly retire?: (message: MessageRef) => Promise<void> };
}

/** Everything a worker registers, by the names of the contract: `canary.plan`, …, and what all verbs share. */
export function createActivities(deps: ActivityDeps): Record<string, (input: never) => Promise<unknown>> {
  const { announce, people } = deps;
  const audit = asDatabase(deps.audit);
  const editMessage: VerbDeps['editMessage'] = (view, live) => announce.editMessage(view, live);
  const sizeOf = deps.payloadSize ?? (async (value: unknown) => JSON.stringify(value).length);
  const recorder = deps.records && new Recorder(deps.records, deps.log);
  const verbs = new Map([...STEPS].map(([verb, steps]) => [verb, steps({ ...deps, audit, recorder, editMessage })] as const));
  return {
    ...Object.fromEntries(
      [...verbs].flatMap(([verb, steps]) => stepsOf(verb, askedStill(deps.mayStill, aloneWhere(deps.beside, verb, steps)), sizeOf)),
    ),
    announce: mapped((input: Parameters<Shared['announce']>[0]) => announce.announce(input)),
    say: mapped((input: Parameters<Shared['say']>[0]) => announce.say(input)),
    chart: mapped((input: Parameters<Shared['chart']>[0]) => announce.chart(input)),
    record: mapped(({ records }: Parameters<Shared['record']>[0]) => audit.append(records)),
    retire: mapped(async ({ target, verb, opId }: Parameters<Shared['retire']>[0]) => {
      for (const message of (await audit.earlierMessages?.(target, verb, opId)) ?? []) await announce.retire?.(message);
    }),
    inspect: mapped((input: Parameters<Shared['inspect']>[0]) => inspect({ ...deps, audit }, input, Context.current().cancellationSignal)),
    fill: mapped(
      async (input: Parameters<Shared['fill']>[0]) =>
        (await verbs.get(input.plan.verb)?.fill?.(input)) ?? { stage: input.stage, originals: [] },
    ),
    frozen: mapped(async ({ target }: Parameters<Shared['frozen']>[0]) => (await deps.freezes.active(target)) ?? null),
    attend: mapped((input: Parameters<Shared['attend']>[0]) => attend(deps, input, Context.current().cancellationSignal)),
    resolveApprovers: mapped(({ rule, deciding = false }: Parameters<Shared['resolveApprovers']>[0]) =>
      people.approvers(rule, Context.current().cancellationSignal, { deciding }),
    ),
  };
}

/** What else runs is looked at before a plan is made; by what holds a whole cluster once more before it writes anything. */
function aloneWhere(beside: Beside | undefined, verb: VerbName, steps: Steps): Steps {
  if (!beside) return steps;
  const isWide = recordOf(verb).scope === 'cluster';
  return {
    ...steps,
    plan: async (input) => (await checkAlone(beside, input.request)) ?? (await steps.plan(input)),
    apply: async (input) => {
      const [other] = isWide && input.stage.number <= 1 ? await othersIn(beside, input.target.cluster) : [];
      if (!other) return steps.apply(input);
      const object = { apiVersion: '', kind: 'Cluster', namespace: '', name: input.target.cluster };
      return { kind: 'held', object, token: `on ${formatTarget(other)}` };
    },
  };
}

/**
 * Who has asked, and where, is looked at again when the plan is made once more after the approval, and at each write that goes forward. Slack's
 * silence holds up a plan; a later write of what has begun goes on by what was known.
 */
function askedStill(mayStill: MayStill | undefined, steps: Steps): Steps {
  if (!mayStill) return steps;
  return {
    ...steps,
    plan: async (input) => {
      const { request } = input;
      if (request.recovery || isWayBack(request)) return steps.plan(input);
      const { target, requester, channel } = request;
      const { refused, silent } = await mayStill({ target, requester, channelId: channel.channelId });
      if (silent) throw new SlackAway('Slack does not say who has asked for the change');
      return refused === undefined ? steps.plan(input) : { kind: 'impossible', code: 'NoLonger', words: noLonger(refused) };
    },
    apply: async (input) => {
      const { refused } = input.asked ? await mayStill({ target: input.target, ...input.asked }) : {};
      return refused === undefined ? steps.apply(input) : { kind: 'forbidden', by: 'meshops', words: noLonger(refused) };
    },
  };
}

function noLonger(why: string): string {
  return `Whoever asked for it may not make this change any more: ${why.replace(/\.?$/, '.')} Nothing more is written for it.`;
}

function stepsOf(
  verb: string,
  steps: Steps,
  sizeOf: (value: unknown) => Promise<number>,
): readonly (readonly [string, (input: never) => Promise<unknown>])[] {
  return [
    [
      `${verb}.plan`,
      mapped(async (input: Parameters<Steps['plan']>[0]) => refuseTooLarge(await steps.plan(input), sizeOf), { impatient: true }),
    ],
    [`${verb}.apply`, mapped((input: Parameters<Steps['apply']>[0]) => beating(() => steps.apply(input)))],
    [`${verb}.realised`, mapped((input: Parameters<Steps['realised']>[0]) => steps.realised(input))],
    [`${verb}.watch`, mapped((input: Parameters<Steps['watch']>[0]) => steps.watch(input))],
    [`${verb}.restore`, mapped((input: Parameters<Steps['restore']>[0]) => beating(() => steps.restore(input)), { persistent: true })],
    [`${verb}.unready`, mapped((input: Parameters<Steps['unready']>[0]) => steps.unready(input))],
  ];
}

/** What may take minutes says so often that it lives, so that another worker goes on with it soon (ms). */
const BEAT_MS = 1_000;

async function beating<T>(work: () => Promise<T>): Promise<T> {
  const context = Context.current();
  const timer = setInterval(() => context.heartbeat(), BEAT_MS);
  try {
    return await work();
  } finally {
    clearInterval(timer);
  }
}
