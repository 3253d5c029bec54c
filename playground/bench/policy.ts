import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import type { JsonObject } from '../../src/domain/json.ts';
import type { Decision } from '../../src/domain/policy/decision.ts';
import { type CompactFlow, compilePolicies, type Evaluator, type IdentityHandle } from '../../src/domain/policy/evaluator.ts';
import { parsePolicy } from '../../src/domain/policy/parse.ts';
import type { Policy } from '../../src/domain/policy/policy.ts';
import { createRandom } from '../cilium/random.ts';
import { step } from '../cluster/progress.ts';
import type { Bench } from './bench.ts';
import { createPolicyDocuments } from './policy-documents.ts';
import { createPolicyWorld, type PolicyWorld, type WorldFlow } from './policy-world.ts';

const SEED = 4;
const FLOWS = 1_000_000;
const POLICIES = 500;
/** Distinct (source, destination, port, protocol) among them. */
const DISTINCT = 200_000;
/** Flows decided by their whole labels, as they come one by one. */
const ONE_BY_ONE = 100_000;

export const policy: Bench = {
  name: 'policy',
  what: `${FLOWS.toLocaleString('en')} flows decided under ${POLICIES} policies on one core, nothing remembered from before`,
  run: async ({ signal, progress }) => {
    const random = createRandom(SEED);
    const documents = createPolicyDocuments(POLICIES, random);
    const world = createPolicyWorld(DISTINCT, random);
    const draws = Uint32Array.from({ length: FLOWS }, () => Math.floor(random() * world.flows.length));
    const parsed = parseAll(documents);
    const measure = (policies: readonly Policy[], flows: number): Promise<Run> =>
      step(progress, `${flows.toLocaleString('en')} flows, ${policies.length} policies`, async () => {
        signal.throwIfAborted();
        const value = measured(policies, world, draws.subarray(0, flows));
        return { value, detail: `${value.totalMs} ms` };
      });
    // The figure that counts comes first, before the machine has warmed up to this code.
    const whole = await measure(parsed.policies, FLOWS);
    const byFlows = [];
    for (const flows of [100_000, 300_000, FLOWS]) byFlows.push(await measure(parsed.policies, flows));
    const byPolicies = [];
    for (const count of [50, 150, POLICIES]) byPolicies.push(await measure(parsed.policies.slice(0, count), FLOWS));
    return {
      seed: SEED,
      policies: parsed.policies.length,
      identities: world.peers.length,
      parseMs: parsed.ms,
      ...whole.figures,
      byFlows: byFlows.map(({ growth }) => growth),
      byPolicies: byPolicies.map(({ growth }) => growth),
      oneByOne: oneByOne(parsed.policies, world, draws),
    };
  },
};

interface Run {
  readonly totalMs: number;
  readonly figures: JsonObject;
  readonly growth: JsonObject;
}

function parseAll(documents: readonly JsonObject[]): { readonly policies: readonly Policy[]; readonly ms: number } {
  const begun = performance.now();
  const policies = documents.map((document) => {
    const parsed = parsePolicy(document);
    if (!parsed.ok) throw new Error(`The bench made a policy that is not valid: ${parsed.error}. Nothing was measured.`);
    return parsed.policy;
  });
  return { policies, ms: since(begun) };
}

/** Making the evaluator and its identities known is part of deciding; the flows' own objects are not. */
function measured(policies: readonly Policy[], world: PolicyWorld, draws: Uint32Array): Run {
  const empty = heapBytes();
  const begun = performance.now();
  const evaluator = compilePolicies(policies, { services: world.services });
  const compileMs = since(begun);
  const named = performance.now();
  const handles = world.peers.map((peer) => evaluator.identity(peer));
  const identitiesMs = since(named);
  const flows = compactFlows(world, handles, draws);
  const { tally, decideMs, decideCpuMs } = timed(evaluator, flows);
  const totalMs = Math.round(compileMs + identitiesMs + decideMs);
  const withFlows = heapBytes();
  flows.length = 0;
  const after = heapBytes();
  const memoryMb = megabytes(after - empty);
  const distinct = new Set(draws).size;
  return {
    totalMs,
    figures: {
      flows: draws.length,
      distinct,
      totalMs,
      compileMs,
      identitiesMs,
      decideMs,
      decideCpuMs,
      nsPerFlow: perFlow(decideMs, draws.length),
      memoryMb,
      flowsMb: megabytes(withFlows - after),
      shareOfL7OrFqdn: shareOfL7OrFqdn(world, draws),
      ...tally,
    },
    growth: { flows: draws.length, distinct, policies: policies.length, totalMs, decideMs, decideCpuMs, memoryMb },
  };
}

/** Time on the processor is given too, collection included: on a machine that others use as well it is what one core needs. */
function timed(evaluator: Evaluator, flows: readonly CompactFlow[]) {
  const begun = performance.now();
  const used = process.cpuUsage();
  const tally = decideAll(evaluator, flows);
  const decideMs = since(begun);
  const cpu = process.cpuUsage(used);
  return { tally, decideMs, decideCpuMs: Math.round((cpu.user + cpu.system) / 1_000) };
}

/** One object for each flow, as they would come out of a stream. */
function compactFlows(world: PolicyWorld, handles: readonly IdentityHandle[], draws: Uint32Array): CompactFlow[] {
  return Array.from(draws, (draw) => {
    const flow = flowAt(world, draw);
    return { ...flow, source: handles[flow.source] as IdentityHandle, destination: handles[flow.destination] as IdentityHandle };
  });
}

function flowAt(world: PolicyWorld, place: number): WorldFlow {
  const flow = world.flows[place];
  if (!flow) throw new RangeError(`There is no flow ${place}.`);
  return flow;
}

function decideAll(evaluator: Evaluator, flows: readonly CompactFlow[]): JsonObject {
  let denied = 0;
  let proxied = 0;
  let refusedByProxy = 0;
  for (const flow of flows) {
    const decision: Decision = evaluator.decideBetween(flow);
    if (decision.verdict === 'denied') denied += 1;
    if (decision.egress?.l7 || decision.ingress?.l7) proxied += 1;
    if (isRefused(decision.egress) || isRefused(decision.ingress)) refusedByProxy += 1;
  }
  return { allowed: flows.length - denied, denied, proxied, refusedByProxy };
}

/** Flows with a request or a query, or to an address whose name is known: 1 = all. */
function shareOfL7OrFqdn(world: PolicyWorld, draws: Uint32Array): number {
  let count = 0;
  for (const draw of draws) {
    const { http, dns, destination } = flowAt(world, draw);
    if (http || dns || world.peers[destination]?.fqdns?.length) count += 1;
  }
  return Math.round((count / draws.length) * 1_000) / 1_000;
}

function isRefused(direction: Decision['egress']): boolean {
  return direction !== null && direction.l4 === 'allowed' && !direction.allowed;
}

/** The same by whole flows, each with its labels: what a caller pays who does not make identities known first. */
function oneByOne(policies: readonly Policy[], world: PolicyWorld, draws: Uint32Array): JsonObject {
  const flows = [...draws.subarray(0, ONE_BY_ONE)].map((draw) => {
    const flow = flowAt(world, draw);
    return { ...flow, source: world.peers[flow.source] ?? { labels: [] }, destination: world.peers[flow.destination] ?? { labels: [] } };
  });
  const begun = performance.now();
  const evaluator = compilePolicies(policies, { services: world.services });
  for (const flow of flows) evaluator.decide(flow);
  const totalMs = since(begun);
  return { flows: flows.length, totalMs, nsPerFlow: perFlow(totalMs, flows.length) };
}

const since = (begun: number): number => Math.round((performance.now() - begun) * 10) / 10;
const megabytes = (bytes: number): number => Math.round(bytes / 1e5) / 10;
const perFlow = (ms: number, flows: number): number => Math.round((ms * 1e6) / flows);

/** Heap in use after a collection. */
function heapBytes(): number {
  setFlagsFromString('--expose-gc');
  const collect: unknown = runInNewContext('gc');
  if (typeof collect === 'function') collect();
  return process.memoryUsage().heapUsed;
}
