import { defaultPayloadConverter } from '@temporalio/common';
import type { JsonObject } from '../../src/domain/json.ts';
import type { OperationRequest } from '../../src/domain/lifecycle/operation.ts';
import { beginOnce } from '../../src/temporal/begin.ts';
import { processorSeconds } from '../cluster/processes.ts';
import { type Rig, startRig } from '../rig/rig.ts';
import type { Outcome } from '../slack/outcome.ts';
import { whereTimeGoes } from './ack-where.ts';
import type { Bench } from './bench.ts';
import { quantiles } from './quantiles.ts';

/** How long a slash command takes to be acknowledged, durable start included: Slack gives it 3 s. */
const COMMANDS = 200;
const EVERY_MS = 100;
/** A command that is not confirmed by then is answered as such. */
const BEGIN_MS = 1_500;
/** Each command has a target of its own, so that each starts an operation; Slack's posting limits are not what is measured. */
const NO_LIMITS = {
  postPerSecond: 1_000,
  postBurst: 1_000,
  perMinute: { 1: 10_000, 2: 10_000, 3: 10_000, 4: 10_000, post: 10_000, connect: 100 },
} as const;

export const ack: Bench = {
  name: 'ack',
  what: `acknowledgement of ${COMMANDS} slash commands at ${1_000 / EVERY_MS}/s, from Slack's request to the answer, each a durable start and its plan; beside each a bare start`,
  run: async (context) => {
    const rig = await startRig({
      ...context,
      preset: 'ideal',
      seed: 1,
      pace: 'fast',
      split: true,
      slackLimits: NO_LIMITS,
      requestsPerSecond: 10,
      requestsPerMinute: 100_000,
    });
    try {
      const { answers } = await fire(rig, 5);
      const like = await requestOf(rig, answers);
      const before = spent(rig);
      const began = performance.now();
      const { answers: measured, bare } = await fire(rig, COMMANDS, like);
      const seconds = (performance.now() - began) / 1_000;
      const cores = coresOf(before, spent(rig), seconds);
      return { ...report(measured, bare), processorCores: cores, starts: await whereTimeGoes(rig.temporal) };
    } finally {
      await rig.stop();
    }
  },
};

/** Processor seconds that each process has used. */
function spent({ bot, workers, stack }: Rig): Readonly<Record<string, number>> {
  const pids = {
    bot: bot.pid,
    worker: workers.at(-1)?.pid,
    temporal: stack.temporal.pid(),
    apiserver: stack.kube.apiserver.pid(),
    bench: process.pid,
  };
  return Object.fromEntries(Object.entries(pids).map(([name, pid]) => [name, pid === undefined ? 0 : processorSeconds(pid)]));
}

/** How many cores each has used on average: where the time goes when there are too few of them. */
function coresOf(before: Readonly<Record<string, number>>, after: Readonly<Record<string, number>>, seconds: number): JsonObject {
  const share = (name: string): number => Math.round((((after[name] ?? 0) - (before[name] ?? 0)) / seconds) * 100) / 100;
  return Object.fromEntries(Object.keys(after).map((name) => [name, share(name)]));
}

let fired = 0;

interface Fired {
  readonly answers: readonly Outcome[];
  /** Milliseconds of each bare start, of those that were confirmed. */
  readonly bare: readonly (number | undefined)[];
}

/**
 * Types the commands at a steady rate, none waiting for another. After each fourth comes the same start without Slack, bot and database: an
 * update-with-start of this process on the same server and worker, so that it is seen where the time goes.
 */
async function fire(rig: Rig, count: number, like?: OperationRequest): Promise<Fired> {
  const operator = rig.slack.drive.as('U0OPERATOR');
  const began = performance.now();
  const answers: Promise<Outcome>[] = [];
  const bare: Promise<number | undefined>[] = [];
  for (let index = 0; index < count; index += 1) {
    await new Promise((resolve) => setTimeout(resolve, Math.max(0, began + index * EVERY_MS - performance.now())));
    fired += 1;
    answers.push(operator.command('C0MESH', `/mesh canary service-${fired} 10%`));
    if (like && index % 4 === 3)
      bare.push(start(rig, { ...like, requestId: `bare:${fired}`, target: { ...like.target, name: `bare-${fired}` } }));
  }
  return { answers: await Promise.all(answers), bare: await Promise.all(bare) };
}

async function start(rig: Rig, request: OperationRequest): Promise<number | undefined> {
  const now = Date.now();
  const began = performance.now();
  const begun = await beginOnce(rig.temporal, { ...request, requestedAt: now, validUntil: now + 60_000 }, now + 10_000);
  return begun.kind === 'begun' ? performance.now() - began : undefined;
}

/** What the bot asks Temporal for, taken from the first operation that it started. */
async function requestOf(rig: Rig, answers: readonly Outcome[]): Promise<OperationRequest> {
  for await (const { workflowId, runId } of rig.temporal.workflow.list({ query: 'WorkflowId STARTS_WITH "mesh/"' })) {
    const { events } = await rig.temporal.workflow.getHandle(workflowId, runId).fetchHistory();
    const [payload] = events?.[0]?.workflowExecutionStartedEventAttributes?.input?.payloads ?? [];
    if (payload) return defaultPayloadConverter.fromPayload<OperationRequest>(payload);
  }
  throw new Error(`Nothing was started: ${answers.map(({ shown }) => shown?.text).join(' | ')}`);
}

/** A refusal by the plan is an operation that began, and whose plan was known before the answer. */
function report(answers: readonly Outcome[], bare: readonly (number | undefined)[]): JsonObject {
  const says = (words: RegExp): number => answers.filter(({ ok, shown }) => ok && words.test(shown?.text ?? '')).length;
  const confirmed = bare.filter((ms) => ms !== undefined);
  return {
    commands: answers.length,
    perSecond: 1_000 / EVERY_MS,
    acknowledged: answers.filter(({ ok }) => ok).length,
    started: says(/ has started on |No HTTPRoute in namespace/),
    notConfirmed: says(/Not confirmed/),
    stillWorking: says(/Still working on it/),
    ackMs: quantiles(answers.map(({ ackMs }) => ackMs)),
    // A bare start waits longer than a person does: how many would have been confirmed to one.
    bareStarts: {
      count: bare.length,
      confirmed: confirmed.length,
      asSoonAsCommands: confirmed.filter((ms) => ms <= BEGIN_MS).length,
      ms: quantiles(confirmed),
    },
  };
}
