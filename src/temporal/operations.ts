import { type Client, QueryNotRegisteredError, QueryRejectedError } from '@temporalio/client';
import type { Decision } from '../domain/lifecycle/gate.ts';
import type { OperationRequest, OperationView } from '../domain/lifecycle/operation.ts';
import { type Target, workflowIdOf } from '../domain/target.ts';
import { beginOnce, settle, truthful } from './begin.ts';
import { meaningOf } from './errors.ts';
import { type Fate, fateOf } from './fate.ts';
import { createInFlight } from './in-flight.ts';
import type {
  AbortBy,
  AbortResult,
  BeginResult,
  DecideResult,
  Described,
  Known,
  OperationAt,
  ReleaseResult,
  RunningAt,
  Settled,
} from './results.ts';
import { findRunning, listRunning, running, runs } from './running.ts';

/** The operations of all clusters, as the bot reaches them. */
export interface Operations {
  /**
   * Starts an operation, or hands the running one its next step. Answers within `withinMs` (1.5 s when left out).
   * After `not-confirmed` it goes on asking in the background and tells `onSettled` once.
   */
  begin(request: OperationRequest, options: { withinMs?: number; onSettled: (truth: Settled) => Promise<void> }): Promise<BeginResult>;
  decide(workflowId: string, decision: Decision): Promise<DecideResult>;
  abort(at: OperationAt, by: AbortBy): Promise<AbortResult>;
  /** Helps to give up an undo that keeps failing. */
  release(at: OperationAt, by: AbortBy): Promise<ReleaseResult>;
  describe(at: OperationAt): Promise<Described>;
  /** The newest run on a target, running or not. */
  on(target: Target): Promise<Described>;
  /** The run that holds a target now. Needs no worker. Throws when Temporal does not answer. */
  running(target: Target): Promise<RunningAt | undefined>;
  /** Running operations, newest first, at most 200 or as many as are asked for. */
  listRunning(most?: number): Promise<readonly OperationAt[]>;
  /** Where the operation with this id runs or ran. */
  find(opId: string): Promise<OperationAt | undefined>;
  /** Does one of the running operations have this id? Throws when it cannot be said in time. */
  runs(opId: string): Promise<boolean>;
  /** What became of an operation that has no outcome on record. Throws when Temporal does not answer. */
  fate(at: OperationAt & { readonly opId: string }): Promise<Fate>;
  /** True when Temporal answers. */
  reachable(): Promise<boolean>;
  /** Waits for background work; what is left after `timeoutMs` is given up (and told as unknown). Returns how many that were. */
  drain(timeoutMs: number): Promise<number>;
}

interface OperationsDeps {
  readonly client: Client;
  readonly now: () => number;
  /** The database's memory of operations. */
  readonly lookup: (opId: string) => Promise<Known | undefined>;
  /** A defect in background work: logged, since nobody waits for it. */
  readonly onError: (error: unknown) => void;
}

const BEGIN_MS = 1_500;
const DECIDE_MS = 8_000;
const QUERY_MS = 2_000;

export function createOperations(deps: OperationsDeps): Operations {
  const { client, now } = deps;
  const inFlight = createInFlight();
  const stopping = new AbortController();
  const describe = (at: OperationAt): Promise<Described> => query(client, at, now() + QUERY_MS);
  return {
    begin: async (request, { withinMs = BEGIN_MS, onSettled }) => {
      const result = truthful(await beginOnce(client, request, now() + withinMs), request, now());
      if (result.kind === 'not-confirmed') {
        const asking = inFlight.track(async () => onSettled(await settle(deps, request, stopping.signal)));
        if (asking) asking.catch(deps.onError);
        else onSettled({ kind: 'unknown' }).catch(deps.onError);
      }
      return result;
    },
    decide: (workflowId, decision) => decide(client, workflowId, decision, now() + DECIDE_MS),
    abort: (at, by) => abort(client, at, by, now() + DECIDE_MS),
    release: (at, by) => release(client, at, by, now() + DECIDE_MS),
    describe,
    on: (target) => describe({ workflowId: workflowIdOf(target) }),
    running: (target) => running(client, workflowIdOf(target), now() + QUERY_MS),
    listRunning: (most) => listRunning(client, now() + (most === undefined ? QUERY_MS : DECIDE_MS), most),
    find: async (opId) => (await deps.lookup(opId)) ?? (await findRunning(client, opId, now, describe)),
    runs: (opId) => runs(client, opId, now, describe),
    fate: (at) => fateOf(client, at, now() + QUERY_MS, describe),
    reachable: () => reachable(client, now() + QUERY_MS),
    drain: async (timeoutMs) => {
      const left = await inFlight.drain(timeoutMs);
      stopping.abort();
      await inFlight.drain(1_000);
      return left;
    },
  };
}

async function decide(client: Client, workflowId: string, decision: Decision, deadline: number): Promise<DecideResult> {
  const handle = client.workflow.getHandle(workflowId, decision.runId);
  // One person's same choice at one gate is one update, however often it is clicked; a refused one is not remembered.
  const updateId = `${decision.gateId}:${decision.actor.id}:${decision.choice}`;
  try {
    const { remaining } = await client.withDeadline(deadline, () =>
      handle.executeUpdate<{ readonly remaining: number }, [Decision]>('decide', { updateId, args: [decision] }),
    );
    return { kind: 'accepted', remaining };
  } catch (error) {
    const meaning = meaningOf(error);
    if (!meaning) throw error;
    if (meaning.kind === 'uncertain') return { kind: 'not-confirmed' };
    if (meaning.kind === 'over') return meaning;
    const view = meaning.details[0] as OperationView | undefined;
    return { kind: 'refused', code: meaning.code, words: meaning.words, ...(view ? { view } : {}) };
  }
}

async function abort(client: Client, at: OperationAt, by: AbortBy, deadline: number): Promise<AbortResult> {
  try {
    await client.withDeadline(deadline, () => client.workflow.getHandle(at.workflowId, at.runId).signal<[AbortBy]>('abort', by));
    return { kind: 'sent' };
  } catch (error) {
    const meaning = meaningOf(error);
    if (!meaning || meaning.kind === 'refused') throw error;
    return meaning.kind === 'over' ? meaning : { kind: 'not-confirmed' };
  }
}

async function release(client: Client, at: OperationAt, by: AbortBy, deadline: number): Promise<ReleaseResult> {
  const handle = client.workflow.getHandle(at.workflowId, at.runId);
  try {
    const options = { updateId: `release:${by.actor.id}`, args: [by] as [AbortBy] };
    const { remaining } = await client.withDeadline(deadline, () =>
      handle.executeUpdate<{ readonly remaining: number }, [AbortBy]>('release', options),
    );
    return { kind: 'accepted', remaining };
  } catch (error) {
    const meaning = meaningOf(error);
    if (!meaning) throw error;
    if (meaning.kind === 'uncertain') return { kind: 'not-confirmed' };
    return meaning.kind === 'over' ? meaning : { kind: 'refused', code: meaning.code, words: meaning.words };
  }
}

async function query(client: Client, at: OperationAt, deadline: number): Promise<Described> {
  const handle = client.workflow.getHandle(at.workflowId, at.runId);
  try {
    return { kind: 'view', view: await client.withDeadline(deadline, () => handle.query<OperationView>('describe')) };
  } catch (error) {
    // A run that is too young to have its handlers, or whose worker cannot answer now.
    if (error instanceof QueryNotRegisteredError || error instanceof QueryRejectedError) return { kind: 'silent' };
    const meaning = meaningOf(error);
    if (meaning?.kind === 'over') return { kind: 'gone' };
    if (meaning?.kind === 'uncertain') return { kind: 'silent' };
    throw error;
  }
}

async function reachable(client: Client, deadline: number): Promise<boolean> {
  try {
    await client.withDeadline(deadline, () => client.connection.workflowService.getSystemInfo({}));
    return true;
  } catch {
    // Any reason is the same answer: not reachable now; `meshops doctor` says why.
    return false;
  }
}
