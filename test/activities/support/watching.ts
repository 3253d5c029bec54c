import { MockActivityEnvironment } from '@temporalio/testing';
import { createWatch } from '../../../activities/watch/watch.ts';
import type { Hear, Watching } from '../../../activities/watch/watching.ts';
import type { CallOptions, Cluster } from '../../../src/clients/kubernetes/cluster.ts';
import type { Follower, Hub } from '../../../src/clients/kubernetes/hub.ts';
import type { KubeObject } from '../../../src/clients/kubernetes/objects.ts';
import { createJudge } from '../../../src/domain/judge/create.ts';
import type { Evidence, RequestEvidence } from '../../../src/domain/judge/evidence.ts';
import type { RestoreInput, RestoreResult, WatchInput, WatchResult } from '../../../src/domain/lifecycle/contract.ts';
import type { OperationView } from '../../../src/domain/lifecycle/operation.ts';
import { type ObjectRef, TOKEN_ANNOTATION } from '../../../src/domain/lifecycle/plan.ts';
import { type Log, SILENT } from '../../../src/log.ts';
import { fieldsOf, routeRef } from './routes.ts';

/** A watch of stage 2 of `canary-t1` at 10%, with everything around it faked by its interface. Order of what happened in `events`. */
export function watchRig(options: { readonly token?: string | null; readonly canaryWeight?: number; readonly manager?: string } = {}) {
  const events: string[] = [];
  const heartbeats: unknown[] = [];
  const edits: unknown[] = [];
  const restores: RestoreInput[] = [];
  const followers = new Map<string, Follower>();
  let hear: Hear | undefined;
  let unseen: string | undefined;
  const opened = Promise.withResolvers<{ readonly since: number; readonly resumed: boolean }>();
  const closed: Error[] = [];
  let holdOpen: Promise<unknown> | undefined;
  let ring: readonly Evidence[] = [];
  const live = {
    route: routeObject(options.token === undefined ? 'canary-t1/2' : options.token, options.canaryWeight ?? 10, 7, options.manager),
  };
  const cluster = { read: async (_ref: ObjectRef, _options: CallOptions) => live.route } as unknown as Cluster;
  const hub: Hub = {
    follow: (_resource, key, follower) => void followers.set(key, follower),
    close: () => {},
  };
  let restore = async (input: RestoreInput): Promise<RestoreResult> => {
    restores.push(input);
    return { kind: 'restored', exact: true, at: Date.now(), objects: [{ object: routeRef('backend'), state: 'restored' }] };
  };
  const watching: Watching = {
    judge: ({ alpha, durationMs, evidence }, startedAt, resumed) =>
      createJudge(
        { objective: 0.01, alpha, durationMs, startedAt, minRequests: 10, canaryService: 'backend-canary', exposure: 0.1 },
        resumed,
        evidence?.carried,
      ),
    open: async (_input, tell, { since, resumed, remarks }) => {
      if (holdOpen) await holdOpen;
      const error = closed.shift();
      if (error) throw error;
      hear = tell;
      for (const event of ring) tell(event);
      remarks?.(() => unseen);
      opened.resolve({ since, resumed });
    },
  };
  const log: Log = { ...SILENT, warn: (_fields, message) => void events.push(`log ${message}`) };
  const watch = createWatch(
    {
      cluster,
      hub,
      restore: (input, { acknowledged }) => {
        events.push('restore');
        const answer = restore(input);
        void answer.then(
          ({ at }) => acknowledged?.(at),
          () => undefined,
        );
        return answer;
      },
      editMessage: async (_view, numbers) => {
        events.push('edit');
        edits.push(numbers);
      },
      now: Date.now,
      log,
    },
    watching,
  );
  const run = (input: WatchInput, heartbeatDetails?: unknown, attempt = 1, activityId = '7') => {
    const environment = new MockActivityEnvironment({ attempt, activityId, ...(heartbeatDetails !== undefined && { heartbeatDetails }) });
    environment.on('heartbeat', (details: unknown) => {
      heartbeats.push(details);
      events.push('heartbeat');
    });
    const result = environment.run(watch, input) as Promise<WatchResult>;
    // A rejection that a test awaits later is no unhandled one.
    result.catch(() => undefined);
    return { environment, result };
  };
  return {
    events,
    heartbeats,
    edits,
    restores,
    followers,
    live,
    run,
    opened: opened.promise,
    unseen: (words: string) => void (unseen = words),
    /** The sources open only when this has resolved. */
    holdOpen: (until: Promise<unknown>) => void (holdOpen = until),
    /** What the sources still hold when they are opened. */
    holds: (...evidence: readonly Evidence[]) => void (ring = evidence),
    /** The sources cannot be opened so often. */
    failOpen: (...errors: readonly Error[]) => void closed.push(...errors),
    hear: (...evidence: Parameters<Hear>) => hear?.(...evidence),
    failRestore: (...errors: readonly Error[]) => {
      const good = restore;
      const left = [...errors];
      restore = async (input) => {
        const error = left.shift();
        if (error) throw error;
        return good(input);
      };
    },
    supersede: () => {
      restore = async () => ({ kind: 'superseded', object: routeRef('backend'), token: 'canary-t1/3', at: Date.now() });
    },
  };
}

export function routeObject(token: string | null, canaryWeight: number, version: number, manager = 'kubectl-edit'): KubeObject {
  return {
    apiVersion: 'gateway.networking.k8s.io/v1',
    kind: 'HTTPRoute',
    metadata: {
      name: 'backend',
      namespace: 'backend',
      uid: 'u1',
      resourceVersion: String(version),
      generation: 2,
      ...(token !== null && { annotations: { [TOKEN_ANNOTATION]: token } }),
      managedFields: [{ manager, operation: 'Update', time: '2026-01-01T00:00:00Z', fieldsV1: { 'f:spec': { 'f:rules': {} } } }],
    },
    spec: {
      rules: [
        {
          backendRefs: [
            { name: 'backend', weight: 100 - canaryWeight },
            { name: 'backend-canary', weight: canaryWeight },
          ],
        },
      ],
    },
  };
}

export function watchInput(change: Partial<WatchInput> = {}): WatchInput {
  const object = routeRef('backend');
  const write = { object, uid: 'u1', generation: 1, before: fieldsOf(100, 0), after: fieldsOf(90, 10) };
  const stage = { number: 2, label: '10%', exposure: 0.1, writes: [write] };
  const target = { cluster: 'demo', namespace: 'backend', name: 'backend' };
  const settings = { watchHeartbeatMs: 1_000, editEveryMs: 60_000, objective: 0.01 } as WatchInput['settings'];
  const original = { object, uid: 'u1', fields: fieldsOf(100, 0), token: null, digest: 'd' };
  return {
    opId: 'canary-t1',
    target,
    verb: 'canary',
    accepted: [],
    purpose: 'stage',
    stage,
    durationMs: 60_000,
    alpha: 0.001,
    settings,
    plan: { details: {} } as WatchInput['plan'],
    fuse: { opId: 'canary-t1', originals: [original], written: [{ stage: 2, writes: [write] }], holder: { stage: 2 } },
    view: { opId: 'canary-t1' } as OperationView,
    ...change,
  };
}

let requests = 0;
export function request(change: Partial<RequestEvidence> = {}): RequestEvidence {
  requests += 1;
  return {
    kind: 'request',
    at: Date.now(),
    seenAt: Date.now(),
    side: 'canary',
    failed: false,
    // Answered at once: it does not begin before its watch.
    latencyMs: 0,
    id: `n1/${requests}`,
    ...change,
  };
}
export const failure = (change: Partial<RequestEvidence> = {}): RequestEvidence => request({ failed: true, failure: '500', ...change });
