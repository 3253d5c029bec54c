import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { applyNodes } from '../../activities/encryption/apply.ts';
import { planNodes } from '../../activities/encryption/plan.ts';
import { createTrafficReader } from '../../activities/encryption/traffic.ts';
import type { VerbDeps } from '../../activities/watch/verb-steps.ts';
import type { Flow } from '../../src/clients/hubble/flow.ts';
import { EncryptionDetails } from '../../src/domain/encryption/details.ts';
import { proofOf } from '../../src/domain/encryption/evidence.ts';
import { readEncryption } from '../../src/domain/encryption/reading.ts';
import type { JsonObject } from '../../src/domain/json.ts';
import type { ApplyInput, PlanInput } from '../../src/domain/lifecycle/contract.ts';
import { objectKey, type Plan, type PlannedStage, tokenOf } from '../../src/domain/lifecycle/plan.ts';
import { SILENT } from '../../src/log.ts';
import { readEncryptionFacts } from '../../src/reading/nodes/encryption.ts';
import { createRandom } from '../cilium/random.ts';
import { step } from '../cluster/progress.ts';
import type { Bench } from './bench.ts';
import { type Asked, EncryptionCluster, podAddress } from './encryption-cluster.ts';

const [NODES, PODS_PER_NODE, CONNECTIONS, SEED] = [500, 20, 200_000, 1] as const;
/** So long after the agents the connections begin: what they do counts as proof (ms). */
const LATER_MS = 30_000;
const OP = 'encryption-bench1';

/** `/encryption on wireguard` in a large cluster without anything that waits: what meshops itself does and asks for. */
export const encryption: Bench = {
  name: 'encryption',
  what: `WireGuard on for ${NODES} simulated nodes (or --runs): plan, stages, API requests per node, time of our own part, memory`,
  run: async ({ runs = NODES, seed = SEED, signal, progress }) => {
    let clock = Date.now();
    const cluster = new EncryptionCluster({ nodes: runs, podsPerNode: PODS_PER_NODE }, () => clock);
    const audit = { holds: async () => false, lastCompleted: async () => undefined };
    const deps = { cluster: cluster.client, audit, now: () => clock, log: SILENT } as unknown as VerbDeps;
    const before = heapMb();
    const planning = await timed(() => planNodes(deps, asked(), signal));
    if (planning.value.kind !== 'plan') throw new Error(`It cannot be planned: ${JSON.stringify(planning.value)}`);
    const { plan } = planning.value;
    const planAsked = cluster.asked();
    const stages = await step(progress, `${plan.stages.length} stages`, async () => {
      const value = await applied(deps, plan, signal);
      return { value, detail: `${value.ms} ms` };
    });
    const stagesAsked = cluster.asked();
    cluster.encrypts(cluster.nodes);
    clock += LATER_MS;
    const watching = await step(progress, `${CONNECTIONS.toLocaleString('en')} connections`, async () => {
      const value = await watched(deps, plan, { nodes: runs, seed, now: clock }, signal);
      return { value, detail: `${value.pairs} pairs` };
    });
    return {
      nodes: runs,
      pods: runs * PODS_PER_NODE,
      plan: { processorMs: planning.ms, bytes: JSON.stringify(plan).length, ...figures(planAsked) },
      stages: { count: plan.stages.length, processorMsPerNode: round(stages.ms / runs), ...figures(stagesAsked, runs) },
      watch: watching,
      memoryMb: { heapBefore: before, heapAfter: heapMb(), rss: Math.round(process.memoryUsage.rss() / 1e6) },
    };
  },
};

function asked(): PlanInput {
  const kubernetes = { user: 'operator@example.com', groups: [] };
  const request = {
    target: { cluster: 'bench', namespace: '*', name: '*' },
    verb: 'encryption',
    change: { kind: 'on', mode: 'wireguard' },
    requester: { id: 'operator@example.com', name: 'Operator', kubernetes },
    settings: { realiseMs: 30_000 },
  };
  return { request, opId: OP, firstStage: 1 } as unknown as PlanInput;
}

/** Every stage as the workflow writes it, the claim first. */
async function applied(deps: VerbDeps, plan: Plan, signal: AbortSignal): Promise<{ readonly ms: number }> {
  const tokens: Record<string, string> = {};
  const write = async (stage: PlannedStage): Promise<void> => {
    const tokenBefore = Object.fromEntries(stage.writes.map(({ object }) => [objectKey(object), tokens[objectKey(object)] ?? null]));
    const input = { opId: OP, target: plan.target, stage, tokenBefore, as: undefined } as ApplyInput;
    const result = await applyNodes(deps, input, signal);
    if (result.kind !== 'applied') throw new Error(`Stage ${stage.number} was not written: ${JSON.stringify(result)}`);
    for (const { object } of stage.writes) tokens[objectKey(object)] = tokenOf(OP, stage.number);
  };
  const { ms } = await timed(async () => {
    for (const stage of plan.stages) {
      const unclaimed = stage.writes.filter(({ object }) => tokens[objectKey(object)] === undefined);
      if (unclaimed.length > 0)
        await write({ ...stage, number: 0, soakMs: 0, writes: unclaimed.map((one) => ({ ...one, after: one.before })) });
      await write(stage);
    }
  });
  return { ms };
}

/** Connections of all nodes into the watch of the last stage, then what it looks at once a second. */
async function watched(
  deps: VerbDeps,
  plan: Plan,
  { nodes, seed, now }: { readonly nodes: number; readonly seed: number; readonly now: number },
  signal: AbortSignal,
) {
  const details = EncryptionDetails.parse(plan.details);
  const homes = new Map<string, string>();
  for (let node = 0; node < nodes; node += 1)
    for (let pod = 0; pod < PODS_PER_NODE; pod += 1) homes.set(podAddress(node, pod), `node-${node + 1}`);
  const changed = new Set(homes.values());
  const reader = createTrafficReader({
    nodeOf: (address) => homes.get(address),
    isChanged: (node) => changed.has(node),
    isExpected: () => false,
    from: 0,
    proves: () => true,
  });
  const random = createRandom(seed);
  let count = 0;
  const flows = await timed(async () => {
    for (let nth = 0; nth < CONNECTIONS; nth += 1)
      for (const [flow, node] of connection(nth, nodes, random, now)) {
        reader.read(flow, node, now);
        count += 1;
      }
  });
  const overdue = await timed(async () => reader.overdue(now + LATER_MS));
  const reading = await timed(async () => readEncryption(await readEncryptionFacts(deps.cluster, 'bench', now + LATER_MS, signal)));
  const input = { details, stage: details.endStage - 1, traffic: reader.traffic, expected: 0, configuredAt: 0 };
  const proof = await timed(async () => proofOf({ ...input, reading: reading.value }));
  return {
    flows: count,
    processorSecondsPerMillionFlows: round((flows.ms / count) * 1_000),
    pairs: reader.traffic.size,
    overdueMs: overdue.ms,
    readingMs: reading.ms,
    proofMs: proof.ms,
    proof: proof.value.proof.kind,
    lost: overdue.value.length,
  };
}

/** Its first packet, the answer, and the end, as the agent of its sender tells them. */
function connection(nth: number, nodes: number, random: () => number, now: number): readonly (readonly [Flow, string])[] {
  const pick = (below: number): number => Math.floor(random() * below);
  const from = pick(nodes);
  const to = (from + 1 + pick(nodes - 1)) % nodes;
  const [source, destination] = [podAddress(from, pick(PODS_PER_NODE)), podAddress(to, pick(PODS_PER_NODE))];
  const port = 32_768 + (nth % 28_000);
  const trace = (ms: number, flags: object, isReply: boolean): Flow => ({
    time: { seconds: Math.floor((now + ms) / 1_000), nanos: ((now + ms) % 1_000) * 1e6 },
    verdict: 'FORWARDED',
    event_type: { type: 4 },
    trace_observation_point: isReply ? 'TO_ENDPOINT' : 'TO_STACK',
    is_reply: { value: isReply },
    IP: isReply ? { source: destination, destination: source } : { source, destination },
    destination: { identity: 1_000 + (to % 50) },
    l4: { TCP: { ...(isReply ? { source_port: 8_080, destination_port: port } : { source_port: port, destination_port: 8_080 }), flags } },
  });
  const node = `node-${from + 1}`;
  return [
    [trace(0, { SYN: true }, false), node],
    [trace(1, { SYN: true, ACK: true }, true), node],
    [trace(5, { ACK: true, FIN: true }, false), node],
  ];
}

/** Processor time: what the machine does beside it does not count. */
async function timed<T>(work: () => Promise<T>): Promise<{ readonly value: T; readonly ms: number }> {
  const before = process.cpuUsage();
  const value = await work();
  const { user, system } = process.cpuUsage(before);
  return { value, ms: round((user + system) / 1e3) };
}

function figures({ requests, megabytesRead }: Asked, nodes = 1): JsonObject {
  const all = Object.values(requests).reduce((sum, count) => sum + count, 0);
  const each = nodes === 1 ? {} : { requestsPerNode: round(all / nodes), megabytesReadPerNode: round(megabytesRead / nodes) };
  return { requests: { ...requests }, requestsInAll: all, megabytesRead, ...each };
}

function heapMb(): number {
  setFlagsFromString('--expose-gc');
  (runInNewContext('gc') as () => void)();
  return Math.round(process.memoryUsage().heapUsed / 1e6);
}

function round(value: number): number {
  return Math.round(value * 100) / 100;
}
