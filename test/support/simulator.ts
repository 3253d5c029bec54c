import { defaultPayloadConverter, TypedSearchAttributes } from '@temporalio/common';
import { msToTs, tsToMs } from '@temporalio/common/lib/time.js';
import proto from '@temporalio/proto';
import { parseWorkflowCode } from '@temporalio/worker/lib/worker.js';
import type { Workflow } from '@temporalio/worker/lib/workflow/interface.js';
import { VMWorkflowCreator } from '@temporalio/worker/lib/workflow/vm.js';
import { beforeAll } from 'vitest';
import { workflowBundle } from './bundle.ts';

/**
 * Runs a real workflow bundle in the SDK's own VM with virtual time and fake activities: no server, no retries, milliseconds a run.
 * The truth about retries, heartbeats and updates over the wire is the dev server's; this tier is for the lifecycle and its faults.
 * It uses internal paths of @temporalio/worker, which is pinned to one exact version.
 */
export type Reply = (
  | { readonly value: unknown; readonly afterMs?: number }
  | { readonly fails: string; readonly type?: string; readonly afterMs?: number }
  /** Never answers; ends only when it is cancelled. */
  | { readonly never: true }
) & {
  /** What it ends with when it is cancelled; left out: as cancelled. A function is asked then. */
  readonly whenCancelled?: unknown;
};

export type FakeActivity = (input: never, context: { readonly now: number; readonly call: number }) => Reply;

interface Due {
  readonly at: number;
  readonly order: number;
  readonly key: string;
  readonly jobs: () => object[];
}

interface Open {
  readonly activity: string;
  readonly input: never;
  /** How long it is tried for (ms). */
  readonly longest: number;
}

export interface Call {
  readonly activity: string;
  readonly input: never;
  readonly at: number;
}

let creator: Promise<VMWorkflowCreator> | undefined;

// For every file of tests that simulates: on a busy machine the bundle alone takes longer than a test may.
beforeAll(async () => void (await (creator ??= loadCreator())), 180_000);

async function loadCreator(): Promise<VMWorkflowCreator> {
  const { code } = await workflowBundle();
  return VMWorkflowCreator.create(parseWorkflowCode(code), 10_000, new Set());
}

export class Simulator {
  now = Date.UTC(2026, 0, 1);
  readonly calls: Call[] = [];
  /** What a server would have in this run's history: events, and the bytes of what they carry. */
  readonly history = { events: 0, bytes: 0 };
  result: unknown;
  failure: { readonly message?: string | null } | undefined;
  state: 'running' | 'completed' | 'failed' | 'cancelled' = 'running';
  readonly #activities: Readonly<Record<string, FakeActivity>>;
  readonly #workflow: Workflow;
  readonly #due: Due[] = [];
  readonly #whenCancelled = new Map<number, unknown>();
  readonly #open = new Map<number, Open>();
  readonly #updates = new Map<string, { resolve: (value: unknown) => void; reject: (error: Error) => void }>();
  #queryAnswer: unknown;
  #order = 0;
  #ids = 0;

  private constructor(workflow: Workflow, activities: Readonly<Record<string, FakeActivity>>) {
    this.#workflow = workflow;
    this.#activities = activities;
  }

  static async start(type: string, argument: unknown, activities: Readonly<Record<string, FakeActivity>>, seed = 1): Promise<Simulator> {
    creator ??= loadCreator();
    // As a server makes them that has UUIDv7: two runs within a minute begin alike.
    const runId = `019b0000-0000-7000-8000-${String(seed).padStart(2, '0')}${Math.random().toString(16).slice(2, 12).padEnd(10, '0')}`;
    const now = Date.UTC(2026, 0, 1);
    const info = {
      workflowId: 'mesh/demo/backend/backend',
      runId,
      workflowType: type,
      searchAttributes: {},
      taskQueue: 'mesh-demo',
      namespace: 'default',
      typedSearchAttributes: new TypedSearchAttributes(),
      firstExecutionRunId: runId,
      originalExecutionRunId: runId,
      attempt: 1,
      startTime: new Date(now),
      runStartTime: new Date(now),
      taskTimeoutMs: 10_000,
      historyLength: 3,
      historySize: 0,
      continueAsNewSuggested: false,
      unsafe: { now: Date.now, isReplaying: false, isReplayingHistoryEvents: false, random: Math.random },
    };
    const options = { info, randomnessSeed: [seed, 2, 3, 4], now, showStackTraceSources: false };
    const workflow = await (await creator).createWorkflow(options as never);
    const simulator = new Simulator(workflow, activities);
    const args = [defaultPayloadConverter.toPayload(argument)];
    const init = { workflowId: info.workflowId, workflowType: type, arguments: args, startTime: timestamp(now), attempt: 1 };
    await simulator.#activate([{ initializeWorkflow: init }]);
    return simulator;
  }

  /** Sends an update now; resolves with its result, rejects with an Error whose `name` is the failure's type. */
  async update(name: string, argument: unknown): Promise<unknown> {
    const id = `u${++this.#ids}`;
    const answer = new Promise((resolve, reject) => this.#updates.set(id, { resolve, reject }));
    // The caller sees the rejection; this keeps an early one from being reported as unhandled.
    answer.catch(() => undefined);
    const input = [defaultPayloadConverter.toPayload(argument)];
    await this.#activate([
      { doUpdate: { id, protocolInstanceId: id, name, input, runValidator: true, meta: { updateId: id, identity: 'test' } } },
    ]);
    return answer;
  }

  async signal(signalName: string, argument: unknown): Promise<void> {
    await this.#activate([{ signalWorkflow: { signalName, input: [defaultPayloadConverter.toPayload(argument)], identity: 'test' } }]);
  }

  /** Asks the fakes of this activity once more for every call that is still open: what they see has changed. */
  async wake(activity: string): Promise<void> {
    for (const [seq, open] of this.#open) {
      if (open.activity !== activity || this.#due.some(({ key }) => key === `activity ${seq}`)) continue;
      this.#reply(seq, open);
    }
  }

  async cancel(): Promise<void> {
    await this.#activate([{ cancelWorkflow: { reason: 'test' } }]);
  }

  async query(queryType: string): Promise<unknown> {
    await this.#activate([{ queryWorkflow: { queryId: 'q', queryType, arguments: [] } }]);
    return this.#queryAnswer;
  }

  /** Lets virtual time run until the workflow is over, `until` holds after an event, or nothing is left to happen. */
  async run(until: () => boolean = () => false): Promise<this> {
    for (let steps = 0; this.state === 'running' && !until(); steps += 1) {
      if (steps > 5_000) throw new Error('the workflow does not come to an end');
      const next = this.#due.sort((a, b) => a.at - b.at || a.order - b.order).shift();
      if (!next) break;
      this.now = Math.max(this.now, next.at);
      await this.#activate(next.jobs());
    }
    return this;
  }

  /** Runs until virtual time has advanced by `ms` (events due exactly then included). */
  async advance(ms: number): Promise<this> {
    const end = this.now + ms;
    while (this.state === 'running' && this.#due.some((due) => due.at <= end)) {
      const next = this.#due.sort((a, b) => a.at - b.at || a.order - b.order).shift() as Due;
      this.now = Math.max(this.now, next.at);
      await this.#activate(next.jobs());
    }
    this.now = Math.max(this.now, end);
    return this;
  }

  #write(events: number, bytes: number): void {
    this.history.events += events;
    this.history.bytes += bytes + 100 * events;
  }

  async #activate(jobs: object[]): Promise<void> {
    // A task of the workflow is scheduled, started and completed; then what came to it, and what it commands.
    for (const job of jobs) {
      const { resolveActivity } = job as { resolveActivity?: { seq: number } };
      if (resolveActivity) this.#open.delete(resolveActivity.seq);
    }
    this.#write(3 + jobs.length, JSON.stringify(jobs).length);
    const activation = {
      runId: 'r',
      timestamp: timestamp(this.now),
      historyLength: this.history.events,
      historySizeBytes: this.history.bytes,
      jobs,
      availableInternalFlags: [1, 2, 3],
      isReplaying: false,
    };
    const completion = await this.#workflow.activate(proto.coresdk.workflow_activation.WorkflowActivation.fromObject(activation));
    await this.#workflow.getAndResetSinkCalls();
    if (completion.failed) throw new Error(`workflow task failed: ${JSON.stringify(completion.failed.failure)}`);
    for (const command of completion.successful?.commands ?? []) this.#handle(command as Record<string, never>);
  }

  #handle(command: Record<string, never>): void {
    this.#write(1, JSON.stringify(command).length);
    const [kind, body] = Object.entries(command).find(([key, value]) => value !== null && key !== 'userMetadata') ?? [];
    const seq = (body as { seq?: number } | undefined)?.seq;
    switch (kind) {
      case 'startTimer':
        return this.#push(this.now + millis(body as never), `timer ${seq}`, () => [{ fireTimer: { seq } }]);
      case 'cancelTimer':
        return this.#drop(`timer ${seq}`);
      case 'scheduleActivity':
        return this.#schedule(body as never);
      case 'requestCancelActivity': {
        this.#drop(`activity ${seq}`);
        if (this.#whenCancelled.has(seq ?? 0)) {
          const last = this.#whenCancelled.get(seq ?? 0);
          const value: unknown = typeof last === 'function' ? last() : last;
          return this.#push(this.now, `activity ${seq}`, () => [{ resolveActivity: { seq, result: completed(value) } }]);
        }
        const failure = {
          message: 'cancelled',
          activityFailureInfo: { activityType: { name: 'fake' }, activityId: '1' },
          cause: { message: 'cancelled', canceledFailureInfo: {} },
        };
        return this.#push(this.now, `activity ${seq}`, () => [{ resolveActivity: { seq, result: { cancelled: { failure } } } }]);
      }
      // A run of today: every patch is taken.
      case 'setPatchMarker':
        return;
      case 'updateResponse':
        return this.#answerUpdate(body as never);
      case 'respondToQuery':
        this.#queryAnswer = defaultPayloadConverter.fromPayload((body as never as { succeeded: { response: never } }).succeeded.response);
        return;
      case 'completeWorkflowExecution':
        this.state = 'completed';
        this.result = defaultPayloadConverter.fromPayload((body as never as { result: never }).result);
        return;
      case 'failWorkflowExecution':
        this.state = 'failed';
        this.failure = (body as never as { failure: { message: string } }).failure;
        return;
      case 'cancelWorkflowExecution':
        this.state = 'cancelled';
        return;
      case undefined:
      default:
        throw new Error(`the simulator does not know the command ${kind}`);
    }
  }

  /** What is away for longer than an activity is tried for is a failure to its workflow. */
  #schedule(body: { seq: number; activityType: string; arguments: never[]; scheduleToCloseTimeout?: never }): void {
    const { seq, activityType } = body;
    const input = defaultPayloadConverter.fromPayload(body.arguments[0] as never) as never;
    this.calls.push({ activity: activityType, input, at: this.now });
    const longest = body.scheduleToCloseTimeout ? tsToMs(body.scheduleToCloseTimeout) : Number.POSITIVE_INFINITY;
    const open = { activity: activityType, input, longest };
    this.#open.set(seq, open);
    this.#reply(seq, open);
  }

  #reply(seq: number, { activity: activityType, input, longest }: Open): void {
    const call = this.calls.filter((earlier) => earlier.activity === activityType).length;
    const fake = this.#activities[activityType];
    if (!fake) throw new Error(`no fake for the activity ${activityType}`);
    const reply = fake(input, { now: this.now, call });
    if ('whenCancelled' in reply) this.#whenCancelled.set(seq, reply.whenCancelled);
    if ('never' in reply) return;
    if ((reply.afterMs ?? 1) > longest)
      return this.#push(this.now + longest, `activity ${seq}`, () => [
        { resolveActivity: { seq, result: failed({ fails: 'nobody answered in time', type: 'Timeout' }) } },
      ]);
    const at = this.now + (reply.afterMs ?? 1);
    this.#push(at, `activity ${seq}`, () => [
      { resolveActivity: { seq, result: 'value' in reply ? completed(reply.value) : failed(reply) } },
    ]);
  }

  #answerUpdate(body: { protocolInstanceId: string; rejected?: Failure | null; completed?: never }): void {
    const waiter = this.#updates.get(body.protocolInstanceId);
    if (body.rejected) waiter?.reject(errorOf(body.rejected));
    else if (body.completed) waiter?.resolve(defaultPayloadConverter.fromPayload(body.completed));
  }

  #push(at: number, key: string, jobs: () => object[]): void {
    this.#due.push({ at, order: ++this.#order, key, jobs });
  }

  #drop(key: string): void {
    const index = this.#due.findIndex((due) => due.key === key);
    if (index >= 0) this.#due.splice(index, 1);
  }
}

interface Failure {
  readonly message?: string;
  readonly applicationFailureInfo?: { readonly type?: string };
}

function errorOf(failure: Failure): Error {
  return Object.assign(new Error(failure.message ?? ''), { name: failure.applicationFailureInfo?.type ?? 'Error' });
}

function completed(value: unknown): object {
  return { completed: value === undefined ? {} : { result: defaultPayloadConverter.toPayload(value) } };
}

function failed(reply: { fails: string; type?: string }): object {
  const cause = { message: reply.fails, applicationFailureInfo: { type: reply.type ?? 'Error', nonRetryable: true } };
  return {
    failed: {
      failure: { message: 'Activity task failed', activityFailureInfo: { activityType: { name: 'fake' }, activityId: '1' }, cause },
    },
  };
}

const timestamp = (ms: number): ReturnType<typeof msToTs> => msToTs(ms);
const millis = (body: { startToFireTimeout: Parameters<typeof tsToMs>[0] }): number => tsToMs(body.startToFireTimeout);
