import { Context } from '@temporalio/activity';
import type { MessageRef } from '../src/domain/operation.ts';
import { attend } from './attend.ts';
import { type CanaryDeps, canarySteps } from './canary/steps.ts';
import type { Shared, Steps } from './contract.ts';
import { asDatabase, mapped } from './failures.ts';
import { refuseTooLarge } from './plan-size.ts';
import { fillStage } from './policy/fill.ts';
import { type PolicyDeps, policySteps } from './policy/steps.ts';
import type { Freezes, People, WatchRecords } from './ports.ts';
import { Recorder } from './watch/recorder.ts';
import { inspect } from './writes/inspect.ts';

/** What the activities of one cluster's worker are made of. `announce` is createAnnounce of ./announce/index.ts. */
export interface ActivityDeps extends Omit<CanaryDeps, 'editMessage' | 'recorder'> {
  /** Where what the judges hear is kept for a replay; left out: nowhere. */
  readonly records?: WatchRecords;
  /** Bytes of a value as one payload of Temporal; left out: its JSON text. */
  readonly payloadSize?: (value: unknown) => Promise<number>;
  readonly people: People;
  readonly rings?: PolicyDeps['rings'];
  readonly freezes: Freezes;
  readonly announce: Pick<Shared, 'announce' | 'say' | 'chart'> &
    Pick<CanaryDeps, 'editMessage'> & { readonly retire?: (message: MessageRef) => Promise<void> };
}

/** Everything a worker registers, by the names of the contract: `canary.plan`, …, and what all verbs share. */
export function createActivities(deps: ActivityDeps): Record<string, (input: never) => Promise<unknown>> {
  const { announce, people } = deps;
  const audit = asDatabase(deps.audit);
  const editMessage: CanaryDeps['editMessage'] = (view, live) => announce.editMessage(view, live);
  const sizeOf = deps.payloadSize ?? (async (value: unknown) => JSON.stringify(value).length);
  const recorder = deps.records && new Recorder(deps.records, deps.log);
  const verbs = { canary: canarySteps({ ...deps, audit, recorder, editMessage }), policy: policySteps({ ...deps, audit, editMessage }) };
  return {
    ...Object.fromEntries(Object.entries(verbs).flatMap(([verb, steps]) => stepsOf(verb, steps, sizeOf))),
    announce: mapped((input: Parameters<Shared['announce']>[0]) => announce.announce(input)),
    say: mapped((input: Parameters<Shared['say']>[0]) => announce.say(input)),
    chart: mapped((input: Parameters<Shared['chart']>[0]) => announce.chart(input)),
    record: mapped(({ records }: Parameters<Shared['record']>[0]) => audit.append(records)),
    retire: mapped(async ({ target, verb, opId }: Parameters<Shared['retire']>[0]) => {
      for (const message of (await audit.earlierMessages?.(target, verb, opId)) ?? []) await announce.retire?.(message);
    }),
    inspect: mapped((input: Parameters<Shared['inspect']>[0]) => inspect({ ...deps, audit }, input, Context.current().cancellationSignal)),
    fill: mapped((input: Parameters<Shared['fill']>[0]) => fillStage(deps.cluster, input, Context.current().cancellationSignal)),
    frozen: mapped(async ({ target }: Parameters<Shared['frozen']>[0]) => (await deps.freezes.active(target)) ?? null),
    attend: mapped((input: Parameters<Shared['attend']>[0]) => attend(deps, input, Context.current().cancellationSignal)),
    resolveApprovers: mapped(({ rule }: Parameters<Shared['resolveApprovers']>[0]) =>
      people.approvers(rule, Context.current().cancellationSignal),
    ),
  };
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
    [`${verb}.apply`, mapped((input: Parameters<Steps['apply']>[0]) => steps.apply(input))],
    [`${verb}.realised`, mapped((input: Parameters<Steps['realised']>[0]) => steps.realised(input))],
    [`${verb}.watch`, mapped((input: Parameters<Steps['watch']>[0]) => steps.watch(input))],
    [`${verb}.restore`, mapped((input: Parameters<Steps['restore']>[0]) => steps.restore(input), { persistent: true })],
    [`${verb}.unready`, mapped((input: Parameters<Steps['unready']>[0]) => steps.unready(input))],
  ];
}
