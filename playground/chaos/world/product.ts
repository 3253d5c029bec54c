import { createAnnouncer } from '../../../activities/announce/announce.ts';
import { createAnnounce } from '../../../activities/announce/index.ts';
import { createActivities } from '../../../activities/index.ts';
import { createFreezes, type Freezes } from '../../../src/audit/freezes.ts';
import { type Audit, createAudit } from '../../../src/audit/log.ts';
import { createRequests, type Requests } from '../../../src/audit/requests.ts';
import { createFlows } from '../../../src/clients/hubble/flows.ts';
import { fixedNodes } from '../../../src/clients/hubble/nodes.ts';
import { readRings } from '../../../src/clients/hubble/ring.ts';
import { createHub } from '../../../src/clients/kubernetes/hub.ts';
import { reconcile } from '../../../src/compose/lost.ts';
import type { Config } from '../../../src/domain/config/schema.ts';
import { kubernetesIdentity, settingsFor } from '../../../src/domain/config/use.ts';
import type { LostOperation } from '../../../src/domain/lifecycle/lost.ts';
import type { AuditRecord } from '../../../src/domain/lifecycle/operation.ts';
import type { ObjectRef } from '../../../src/domain/lifecycle/plan.ts';
import { SILENT } from '../../../src/log.ts';
import { renderRoot } from '../../../src/messages/message.ts';
import { retireButtons } from '../../../src/messages/retire.ts';
import { readEncryptionFacts } from '../../../src/reading/nodes/encryption.ts';
import { readWorkload } from '../../../src/reading/policy/seen-workload.ts';
import { askServer } from '../../../src/reading/policy/server-word.ts';
import { findCandidate } from '../../../src/reading/policy/sources/find.ts';
import { readWorld } from '../../../src/reading/policy/world.ts';
import type { BotDeps } from '../../../src/slack/deps.ts';
import { createPeople, type SlackPeople } from '../../../src/slack/people.ts';
import { runHere } from '../../../src/slack/policy/tasks.ts';
import { createRefusalBook } from '../../../src/slack/refusal-book.ts';
import { createRoom } from '../../../src/slack/room.ts';
import { createInFlight } from '../../../src/temporal/in-flight.ts';
import { createOperations, type Operations } from '../../../src/temporal/operations.ts';
import { Random } from '../random.ts';
import { createClient } from '../temporal/client.ts';
import { sizeOfText } from '../temporal/payload.ts';
import type { TemporalServer } from '../temporal/server.ts';
import type { WorkerProcess } from '../temporal/worker.ts';
import type { VirtualTime } from '../virtual-time.ts';
import type { Agents } from './agents.ts';
import type { ApiServer } from './api-server.ts';
import type { Clocks } from './clocks.ts';
import { modelCluster } from './cluster.ts';
import { type Counters, modelPrometheus } from './counters.ts';
import { cleared, overDatabase } from './database.ts';
import type { Faults } from './faults.ts';
import { CLUSTER } from './mesh.ts';
import { TEAM } from './people.ts';
import type { SlackModel } from './slack.ts';

/** The product, put together over the model as src/compose puts it together over the real things. */
export interface ProductDeps {
  readonly time: VirtualTime;
  readonly clocks: Clocks;
  readonly faults: Faults;
  readonly api: ApiServer;
  readonly agents: Agents;
  readonly slack: SlackModel;
  readonly temporal: TemporalServer;
  readonly config: Config;
  readonly counters: Counters;
  readonly seed: number;
}

export interface Product {
  readonly bot: BotDeps;
  /** The audit record itself, whatever the outage. */
  readonly audit: Audit;
  /** Every record in the order of its writing. */
  records(): Promise<readonly AuditRecord[]>;
  newWorker(name: string): WorkerProcess;
}

/** In virtual time no turn of the loop is ever late; to measure that twenty times a second would be most of a run of days. */
const NEVER_LATE = { within: () => 0, close: () => undefined };

interface Shared {
  readonly audit: Audit;
  /** Each process reads them by its own clock. */
  readonly freezesOf: (now: () => number) => Freezes;
  readonly requests: Requests;
}

export async function composeProduct(deps: ProductDeps): Promise<Product> {
  const { faults, clocks } = deps;
  const ids = new Random(deps.seed);
  const database = await cleared();
  const audit = createAudit(database);
  const shared: Shared = {
    audit: overDatabase(audit, faults),
    freezesOf: (now) => overDatabase(createFreezes(database, now), faults),
    // Ids are by chance, and the same in every run of one seed.
    requests: overDatabase(
      createRequests(database, (below) => ids.whole(below)),
      faults,
    ),
  };
  let workers = 0;
  return {
    audit,
    records: async () => {
      const rows = await database.selectFrom('audit').select('body').orderBy('seq').execute();
      return rows.map(({ body }) => JSON.parse(body) as AuditRecord);
    },
    bot: botOf(deps, shared),
    newWorker: (name) => {
      const nth = workers++;
      return workerOf(deps, shared, `${name}-${workers}`, () => clocks.worker(nth));
    },
  };
}

function workerOf(deps: ProductDeps, { audit, freezesOf }: Shared, name: string, now: () => number): WorkerProcess {
  const { time, clocks, faults, api, agents, slack, counters, config, temporal } = deps;
  const process: { -readonly [K in keyof WorkerProcess]: WorkerProcess[K] } = {
    name,
    alive: true,
    connected: true,
    taskMs: 2,
    activities: {},
  };
  time.in(process, () => {
    const cluster = modelCluster(api, faults);
    const hub = createHub({ cluster, log: SILENT });
    const flows = createFlows({
      nodes: fixedNodes(agents.nodes),
      now,
      log: SILENT,
      connect: (node) => agents.connect(node),
      ownDelay: NEVER_LATE,
    });
    const messages = slack.forWorker();
    const operations = operationsOf(temporal, audit, now);
    const prometheus = modelPrometheus(counters, faults, clocks.nodes);
    // The picture of a chart takes longer to draw than the rest of a run, and is the same for all.
    const announce = { ...createAnnounce({ slack: messages, now, logger: SILENT }), chart: () => messages.upload({} as never) };
    const holds: Audit['holds'] = async (opId) => ((await audit.operation(opId)) ? audit.holds(opId) : operations.runs(opId));
    process.activities = createActivities({
      cluster,
      hub,
      flows,
      prometheus,
      probe: 'off',
      audit: overlaid(audit, { holds }),
      beside: operations,
      payloadSize: async (value) => sizeOfText(JSON.stringify(value)),
      freezes: freezesOf(now),
      people: peopleOf(deps, now),
      now,
      log: SILENT,
      announce,
    });
    const reconciler = {
      cluster: CLUSTER,
      audit,
      operations,
      read: (object: ObjectRef, signal: AbortSignal) => cluster.read(object, { signal }),
      announcer: createAnnouncer({ slack: messages, now, attempt: () => 2, logger: SILENT }),
      settings: ({ target, verb }: LostOperation) => settingsFor(config, target, verb === 'policy' ? 'policy enforce' : 'canary', {}),
      now,
      log: SILENT,
    };
    // It ends with its process, whose timers run no more.
    void reconcile(reconciler, new AbortController().signal);
  });
  return process;
}

function operationsOf(temporal: TemporalServer, audit: Audit, now: () => number): Operations {
  const onError = (error: unknown): void => {
    throw error;
  };
  return createOperations({ client: createClient(temporal, now), now, lookup: (opId) => audit.operation(opId), onError });
}

/** The same object with some members of another. */
function overlaid<T extends object>(target: T, members: Partial<T>): T {
  return new Proxy(target, {
    get: (object, name) => (Reflect.has(members, name) ? Reflect.get(members, name) : Reflect.get(object, name)) as unknown,
  });
}

/** Each process knows people for itself: what one has asked when it is killed nobody else waits for. */
function peopleOf({ slack, config }: ProductDeps, now: () => number): SlackPeople {
  return createPeople({
    web: slack.forBot(),
    teamIds: () => [TEAM],
    kubernetesOf: (id) => kubernetesIdentity(config, id),
    now,
  });
}

function botOf(deps: ProductDeps, { audit, freezesOf, requests }: Shared): BotDeps {
  const { faults, api, agents, slack, temporal, config } = deps;
  const now = deps.clocks.bot;
  const cluster = modelCluster(api, faults);
  const messages = slack.forWorker();
  const inFlight = createInFlight();
  return {
    config: () => config,
    operations: operationsOf(temporal, audit, now),
    audit,
    requests,
    // Nobody declares one in a schedule.
    emergencies: { declare: async () => undefined, find: async () => undefined, sign: async () => false, open: async () => [] },
    freezes: freezesOf(now),
    people: peopleOf(deps, now),
    web: slack.forBot(),
    lacking: async () => undefined,
    refresh: async (view) => {
      if (view.message) await messages.update(view.message.channelId, view.message.ts, renderRoot(view));
    },
    retire: (message) => retireButtons(messages, message).catch(() => undefined),
    choices: { routes: async () => [], workloads: async () => [], namespaces: async () => [] },
    encryption: {
      facts: async (name, signal) => readEncryptionFacts(cluster, name, now(), signal),
      picture: () => new Uint8Array(),
      post: (channelId, message, threadTs) => messages.post(channelId, message, threadTs),
      upload: async () => undefined,
    },
    policy: {
      apart: { run: runHere },
      candidate: (target, signal) => findCandidate({ cluster, label: config.policy.sources.label, folder: undefined }, target, signal),
      download: async () => ({ kind: 'refused', code: 'NotReadable', words: 'no file' }) as never,
      world: (_cluster, namespace, signal) => readWorld(cluster, namespace, signal),
      workload: (target, signal) => readWorkload(cluster, target, signal),
      namespacesOf: async ({ first }) => (first === undefined ? [] : [first]),
      askServer: (_cluster, candidate, as, signal) => askServer(cluster, candidate, as, signal),
      rings: (_cluster, request, signal) =>
        readRings({ nodes: fixedNodes(agents.nodes), connect: (node) => agents.connect(node) }, request, signal),
      post: (channelId, message, threadTs) => messages.post(channelId, message, threadTs),
      upload: (file) => messages.upload(file),
    },
    refusals: createRefusalBook({ audit, inFlight, log: SILENT, now }),
    room: createRoom(),
    meter: { acked: () => undefined, refused: () => undefined },
    inFlight,
    now,
    log: SILENT,
  };
}
