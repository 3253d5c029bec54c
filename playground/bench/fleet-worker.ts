/** Process of the fleet bench: what one worker is, with every watch of the fleet in it; only Kubernetes and Temporal are stood in for. */
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import { MockActivityEnvironment } from '@temporalio/testing';
import { canaryWatching } from '../../activities/canary/evidence.ts';
import { Recorder } from '../../activities/watch/recorder.ts';
import { createWatch } from '../../activities/watch/watch.ts';
import { openDatabase } from '../../src/audit/database.ts';
import { createRecords } from '../../src/audit/records.ts';
import { createFlows } from '../../src/clients/hubble/flows.ts';
import { fixedNodes } from '../../src/clients/hubble/nodes.ts';
import type { Cluster } from '../../src/clients/kubernetes/cluster.ts';
import type { Hub } from '../../src/clients/kubernetes/hub.ts';
import type { KubeObject } from '../../src/clients/kubernetes/objects.ts';
import type { WatchInput, WatchResult } from '../../src/domain/lifecycle/contract.ts';
import type { OperationView } from '../../src/domain/lifecycle/operation.ts';
import { type ObjectRef, TOKEN_ANNOTATION, type Write } from '../../src/domain/lifecycle/plan.ts';
import { SILENT } from '../../src/log.ts';
import type { WorkerOrder, WorkerWord } from './fleet-words.ts';

const order = JSON.parse(process.argv[2] ?? '{}') as WorkerOrder;
const tell = (word: WorkerWord): void => void process.send?.(word);

const API = 'gateway.networking.k8s.io/v1';
function routeOf(namespace: string): KubeObject {
  return {
    apiVersion: API,
    kind: 'HTTPRoute',
    metadata: {
      name: 'backend',
      namespace,
      uid: namespace,
      resourceVersion: '7',
      generation: 2,
      annotations: { [TOKEN_ANNOTATION]: `canary-${namespace}/1` },
    },
    spec: {
      parentRefs: [{ name: 'mesh', namespace: 'gateway' }],
      rules: [
        {
          backendRefs: [
            { name: 'backend', weight: 90 },
            { name: 'canary', weight: 10 },
          ],
        },
      ],
    },
  };
}
/** Each namespace has its pods on one node, whose agent reports its requests. */
const nodeOf = (namespace: string): string => `node-${(Number(namespace.slice('ns-'.length)) % order.nodes.length) + 1}`;
function sliceOf(namespace: string, service: string): KubeObject {
  return {
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    metadata: { name: service, namespace, uid: service, resourceVersion: '1' },
    endpoints: [
      {
        addresses: ['10.9.9.9'],
        conditions: { ready: true },
        nodeName: nodeOf(namespace),
        targetRef: { kind: 'Pod', name: `${service}-1`, namespace },
      },
    ],
  } as KubeObject;
}

const namespaces = Array.from({ length: order.targets }, (_, target) => `ns-${target}`);

const cluster = {
  list: async ({ kind }: { readonly kind: string }) => ({ items: kind === 'HTTPRoute' ? namespaces.map(routeOf) : [] }),
  read: async (ref: ObjectRef) => (ref.kind === 'Service' ? { ...ref, metadata: {}, spec: {} } : routeOf(ref.namespace)),
} as unknown as Cluster;
const hub: Hub = {
  follow: (resource, key, follower) => {
    const [namespace = '', name = ''] = key.split('/');
    follower.changed([resource.kind === 'EndpointSlice' ? sliceOf(namespace, name) : routeOf(namespace)]);
  },
  close: () => undefined,
};

function inputOf(target: number): WatchInput {
  const namespace = `ns-${target}`;
  const opId = `canary-${namespace}`;
  const object = { apiVersion: API, kind: 'HTTPRoute', namespace, name: 'backend' };
  const weights = (stable: number, canary: number) => ({
    '/spec/rules/0/backendRefs/0/name': 'backend',
    '/spec/rules/0/backendRefs/0/weight': stable,
    '/spec/rules/0/backendRefs/1/name': 'canary',
    '/spec/rules/0/backendRefs/1/weight': canary,
  });
  const write: Write = { object, uid: namespace, generation: 1, before: weights(100, 0), after: weights(90, 10) };
  const details = {
    namespace,
    receiver: 'canary',
    others: ['backend'],
    traffic: ['gateway'],
    routes: [{ ref: object, parents: [], rules: [0] }],
    elsewhere: [],
  };
  return {
    opId,
    target: { cluster: 'demo', namespace, name: 'backend' },
    verb: 'canary',
    accepted: [],
    purpose: 'stage',
    stage: { number: 1, label: '10%', exposure: 0.1, writes: [write] },
    durationMs: 3_600_000,
    alpha: 0.001,
    settings: {
      watchHeartbeatMs: 5_000,
      editEveryMs: 3_000,
      objective: 0.01,
      latencyLimitMs: 1_000,
      minRequests: 50,
    } as WatchInput['settings'],
    plan: { details } as unknown as WatchInput['plan'],
    fuse: { opId, originals: [], written: [{ stage: 1, writes: [write] }], holder: { stage: 1 } },
    view: { opId } as OperationView,
  };
}

const BATCH = 20;
const BATCH_EVERY_MS = 40;

let heard = 0;
const flows = createFlows({ nodes: fixedNodes(order.nodes), now: Date.now, log: SILENT });
const counting: typeof flows = {
  ...flows,
  follow: (keys, follower, signal) =>
    flows.follow(
      keys,
      {
        flow: (flow, node, at) => {
          heard += 1;
          follower.flow(flow, node, at);
        },
        gap: (...gap) => follower.gap(...gap),
        sight: (...sight) => follower.sight(...sight),
      },
      signal,
    ),
};
// As the product does: what the judges hear is kept, into a database of this process.
const records = createRecords(await openDatabase(':memory:'), () => 86_400_000);
const watch = createWatch(
  {
    cluster,
    hub,
    restore: async (input, { acknowledged }) => {
      const at = Date.now();
      acknowledged?.(at);
      tell({ word: 'undone', target: Number(input.opId.slice('canary-ns-'.length)), at, requests: heard });
      return { kind: 'restored', exact: true, at, objects: [] };
    },
    editMessage: async () => undefined,
    now: Date.now,
    log: SILENT,
    recorder: new Recorder(records, SILENT),
  },
  canaryWatching({ cluster, hub, flows: counting, now: Date.now, log: SILENT }),
);

const beganAt = Date.now();
// A fleet is not started at once: the first operation has opened the streams long before the last one begins.
const open = new Set<string>();
const all = Promise.withResolvers<void>();
flows.follow(
  ['warm'],
  {
    flow: () => undefined,
    gap: () => undefined,
    sight: (node) => {
      open.add(node);
      if (open.size === order.nodes.length) all.resolve();
    },
  },
  new AbortController().signal,
);
await all.promise;
for (let target = 0; target < order.targets; target += 1) {
  if (target % BATCH === 0) await sleep(BATCH_EVERY_MS);
  const running = new MockActivityEnvironment({ activityId: String(target) }).run(watch, inputOf(target)) as Promise<WatchResult>;
  running.then(
    ({ verdict }) => tell({ word: 'ended', target, kind: verdict.kind, why: 'reason' in verdict ? verdict.reason : '' }),
    (error: unknown) => tell({ word: 'ended', target, kind: String(error), why: '' }),
  );
}
tell({ word: 'watching', ms: Date.now() - beganAt });

const delay = monitorEventLoopDelay({ resolution: 20 });
delay.enable();
setInterval(() => {
  const { user, system } = process.cpuUsage();
  const { rss, heapUsed } = process.memoryUsage();
  tell({
    word: 'usage',
    rssMiB: rss / 2 ** 20,
    heapMiB: heapUsed / 2 ** 20,
    cpuMs: (user + system) / 1_000,
    heard,
    awayMs: delay.max / 1e6,
  });
}, 1_000);
process.on('disconnect', () => process.exit(0));
