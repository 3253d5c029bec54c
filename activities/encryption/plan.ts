import { ciliumConfigOf } from '../../src/clients/kubernetes/cluster.ts';
import { type ConfigMap, type KubeObject, POD, type Pod } from '../../src/clients/kubernetes/objects.ts';
import type { EncryptionAsked } from '../../src/domain/encryption/change.ts';
import type { EncryptionDetails } from '../../src/domain/encryption/details.ts';
import { isTunnel } from '../../src/domain/encryption/mode.ts';
import { modeOf, type PlannedNodes, planEncryption } from '../../src/domain/encryption/plan.ts';
import { type Reading, readEncryption } from '../../src/domain/encryption/reading.ts';
import { listed, modeName } from '../../src/domain/encryption/refusals.ts';
import type { Spread } from '../../src/domain/encryption/stages.ts';
import type { PlanInput, PlanResult } from '../../src/domain/lifecycle/contract.ts';
import { plural } from '../../src/domain/words/words.ts';
import { readEncryptionFacts } from '../../src/reading/nodes/encryption.ts';
import { checkHeld } from '../planning/held.ts';
import { impossible } from '../planning/impossible.ts';
import { checkRights } from '../planning/rights.ts';
import { seal } from '../planning/seal.ts';
import type { VerbDeps } from '../watch/verb-steps.ts';
import { tightBudget } from './budgets.ts';
import { rightsFor } from './rights.ts';
import { stageWrites } from './writes.ts';

type Forward = Exclude<EncryptionAsked, { kind: 'back' }>;

/** So many times the configured wait for a controller is an agent's time to be ready again: it may have to load an image. */
const AGENT_WAITS = 3;

/** Reads the nodes, refuses what would not be safe here, and says stage by stage which agents are replaced. */
export async function planNodes(deps: VerbDeps, input: PlanInput, signal: AbortSignal): Promise<PlanResult> {
  const { request, opId } = input;
  const { cluster } = request.target;
  const reading = readEncryption(await readEncryptionFacts(deps.cluster, cluster, deps.now(), signal));
  const asked = request.change as EncryptionAsked;
  const forward = asked.kind === 'back' ? await backOf(deps, input) : asked;
  if (forward === undefined)
    return impossible('NothingDone', `No change of the encryption of ${cluster} is on record. Nothing was changed.`);
  // What has gone in one window goes back in one.
  const isWindow = asked.kind === 'back' ? isTunnel(reading.facts.config) : forward.window === true;
  const change = { ...forward, ...(isWindow && { tunnelWindow: request.settings.tunnelWindow ?? ('refused' as const) }) };
  const { namespace } = reading.facts;
  const pods = await agentPods(deps, namespace, signal);
  const shares = 'steps' in change && change.steps ? { shares: change.steps.map((percent) => percent / 100) } : {};
  const planned = planEncryption(reading, change, { spreads: await spreads(deps, signal), ...shares });
  if (planned.kind === 'impossible') return refusedBy(planned.because);
  const agents = agentsByNode(pods);
  const without = planned.stages.flatMap(({ batches }) => batches.flat()).filter((node) => !agents.has(node));
  if (without.length > 0) return impossible('NotReady', `${listed(without)}: no agent of the DaemonSet is there. Nothing was changed.`);
  const tight = isWindow ? await tightWindow(deps, namespace, [...agents.values()], signal) : undefined;
  if (tight) return tight;
  const config = await deps.cluster.read<ConfigMap>(ciliumConfigOf(deps.cluster), { signal });
  if (!config) return impossible('NotReady', `There is no ConfigMap ${namespace}/cilium-config. Nothing was changed.`);
  const mode = modeOf(reading, change);
  const agentMs = AGENT_WAITS * request.settings.realiseMs;
  const written = { opId, change, planned, reading, config, agents, agentMs, firstStage: input.firstStage };
  const stages = stageWrites(written);
  const details: EncryptionDetails = {
    opId,
    change: change.kind,
    mode,
    namespace,
    mostAway: isWindow ? agents.size : 1,
    nodes: Object.fromEntries(planned.stages.map(({ batches }, index) => [input.firstStage + index, batches.flat()])),
    agentMs,
    endStage: input.firstStage + planned.stages.length,
  };
  const live: readonly KubeObject[] = [config, ...agents.values()];
  const missing = (await checkHeld(deps, live, stages, input)) ?? (await checkRights(deps.cluster, request, rightsFor(namespace), signal));
  if (missing) return missing;
  const draft = {
    ...wordsOf(reading, change, planned),
    stages,
    details: { ...details },
    live,
    fromGit: [config],
    isBack: false,
    realiseMs: agentMs,
    // Agents come and go by themselves; what people agree to are nodes, their order and what they are told.
    approved: { change: change.kind, mode, nodes: details.nodes, config: config.metadata.uid, end: { ...planned.atTheEnd } },
  };
  const result = await seal(deps, input, draft, signal);
  if (result.kind !== 'plan' || asked.kind !== 'back') return result;
  return { kind: 'plan', plan: { ...result.plan, back: { of: asked.of ?? '' } } };
}

/** In a window all agents go at once: a budget that does not let them is no reason to wait, since it never will. */
async function tightWindow(
  { cluster }: VerbDeps,
  namespace: string,
  agents: readonly Pod[],
  signal: AbortSignal,
): Promise<PlanResult | undefined> {
  const labels = agents[0]?.metadata.labels ?? {};
  const tight = await tightBudget(cluster, { namespace, labels, count: agents.length }, signal);
  if (!tight) return undefined;
  const words = `PodDisruptionBudget ${namespace}/${tight.name} lets ${tight.allowed} of ${plural(agents.length, 'agent')} go at once, and in tunnel mode all restart together.`;
  return impossible('NotSafe', `${words} Raise it for the time of the change, then run the command again. Nothing was changed.`);
}

/** The other way round of the last operation that completed; undefined where there is none, or another one is meant. */
async function backOf({ audit }: VerbDeps, { request }: PlanInput): Promise<Forward | undefined> {
  const last = await audit.lastCompleted(request.target, request.verb);
  const { of } = request.change as { readonly of?: string };
  if (!last || (of !== undefined && last.opId !== of)) return undefined;
  const config = last.originals.find(({ object }) => object.name === 'cilium-config');
  const wasOn = Object.values(config?.fields ?? {}).includes('true');
  return wasOn ? { kind: 'on', mode: 'wireguard' } : { kind: 'off' };
}

function refusedBy(because: readonly { readonly code: string; readonly reason: string; readonly way: string }[]): PlanResult {
  const [first] = because;
  const code = first?.code === 'nothing-to-do' ? 'AlreadyThere' : 'NotSafe';
  return impossible(code, `${because.map(({ reason, way }) => `${reason} ${way}`).join(' ')} Nothing was changed.`);
}

async function agentPods({ cluster }: VerbDeps, namespace: string, signal: AbortSignal): Promise<readonly Pod[]> {
  return (await cluster.list<Pod>(POD, { namespace, labelSelector: 'k8s-app=cilium' }, { signal })).items;
}

function agentsByNode(pods: readonly Pod[]): ReadonlyMap<string, Pod> {
  const there = pods.filter(({ metadata, spec }) => spec.nodeName !== undefined && metadata.deletionTimestamp === undefined);
  return new Map(there.map((pod) => [pod.spec.nodeName ?? '', pod]));
}

/** Where each workload has its pods: no batch takes all of them at once. */
async function spreads({ cluster }: VerbDeps, signal: AbortSignal): Promise<readonly Spread[]> {
  const part = ({ metadata, spec }: Pod) => ({
    owner: `${metadata.namespace}/${metadata.ownerReferences?.find(({ controller }) => controller)?.uid ?? metadata.name}`,
    node: spec.nodeName ?? '',
    everywhere: metadata.ownerReferences?.some(({ kind }) => kind === 'DaemonSet') === true,
  });
  const { items } = await cluster.list<Pod, ReturnType<typeof part>>(POD, {}, { signal, part });
  const byOwner = Map.groupBy(
    items.filter(({ node, everywhere }) => node !== '' && !everywhere),
    ({ owner }) => owner,
  );
  return [...byOwner].map(([workload, pods]) => ({ workload, nodes: pods.map(({ node }) => node) }));
}

function wordsOf(
  { facts, nodes, wanted }: Reading,
  change: Forward,
  { cost, stages }: { readonly cost: string; readonly stages: readonly PlannedNodes[] },
) {
  const now = wanted.mode === 'wireguard' || wanted.mode === 'ipsec' ? `${modeName(wanted.mode)} in cilium-config` : 'no encryption';
  const count = stages.flatMap(({ batches }) => batches.flat()).length;
  const to = change.kind === 'on' ? modeName(change.mode) : 'no encryption';
  const how = isTunnel(facts.config) ? 'all agents at once.' : 'one agent after the other. Each stage is proved before the next.';
  const old = facts.nodes.reduce((sum, { podsSince }) => sum + podsSince.length, 0);
  return {
    from: `${now}, ${plural(nodes.length, 'node')}`,
    to: `${to} on ${plural(nodes.length, 'node')}`,
    explanation: [
      `${to === 'no encryption' ? 'Encryption is turned off' : `${to} is turned on`} on ${plural(count, 'node')}, ${how}`,
      cost,
      ...(change.kind === 'off' ? ['What is sent between nodes can be read on the wire again.'] : []),
      ...(change.kind === 'on' && old > 0
        ? [
            `${plural(old, 'pod')} keep the MTU of before. Where fragments are dropped on the way their large packets are lost until they are replaced.`,
          ]
        : []),
      ...(facts.helm
        ? [`Helm release ${facts.helm.release} does not know of it: commit the values that \`/encryption status\` shows afterwards.`]
        : []),
      'Nothing else starts in this cluster meanwhile.',
    ],
    watched: ['connections between nodes: answers, ends', 'keys of nodes and pods', 'agents that come back'],
  };
}
