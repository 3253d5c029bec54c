import { HANGS } from '../../cilium/connections/caller.ts';
import type { TrueConnection } from '../../cilium/connections/connection-truth.ts';
import { LOST } from '../../cilium/connections/decision.ts';
import type { EncryptionAgents } from '../../cilium/encryption/agents.ts';
import type { Operation } from '../operation.ts';
import { must } from '../scenario.ts';
import type { Scene } from '../scene.ts';

/** What stories of encryption do and measure: ground truth is the simulated nodes' and the packets', never the product's. */

export const CONFIG = '/api/v1/namespaces/kube-system/configmaps/cilium-config';
export const PODS = '/api/v1/namespaces/kube-system/pods';
export const NODE_CONFIGS = '/apis/cilium.io/v2/namespaces/kube-system/ciliumnodeconfigs';
export const APPROVE = 'meshops:approve';

export async function configure(scene: Scene, data: Readonly<Record<string, string | null>>): Promise<void> {
  const contentType = 'application/merge-patch+json';
  const body = JSON.stringify({ data });
  const answer = await scene.rig.stack.kube.api({ method: 'PATCH', path: CONFIG, body, contentType, signal: AbortSignal.timeout(5_000) });
  must(answer.status === 200, `cilium-config was not changed (${answer.status}): ${answer.body.slice(0, 300)}`);
}

export interface AgentPod {
  readonly metadata: { readonly name: string; readonly uid: string; readonly deletionTimestamp?: string };
  readonly spec: { readonly nodeName: string };
  readonly status?: { readonly conditions?: readonly { readonly type: string; readonly status: string }[] };
}

export async function agents(scene: Scene): Promise<readonly AgentPod[]> {
  return ((await scene.read(`${PODS}?labelSelector=k8s-app=cilium`)) as { items: readonly AgentPod[] }).items;
}

export function isReady({ status, metadata }: AgentPod): boolean {
  return (
    metadata.deletionTimestamp === undefined &&
    status?.conditions?.some(({ type, status: is }) => type === 'Ready' && is === 'True') === true
  );
}

/** Deletes the agent of a node, and waits for the next one to be ready. */
export async function replaceAgent(scene: Scene, node: string): Promise<void> {
  const on = async (): Promise<AgentPod | undefined> => (await agents(scene)).find(({ spec }) => spec.nodeName === node);
  const before = await on();
  must(before !== undefined, `${node} has no agent`);
  await scene.remove(`${PODS}/${before.metadata.name}`);
  await scene.until(async () => {
    const now = await on();
    return now !== undefined && now.metadata.uid !== before.metadata.uid && isReady(now);
  }, `the next agent of ${node}`);
}

export async function config(scene: Scene): Promise<Readonly<Record<string, string>>> {
  return ((await scene.read(CONFIG)) as { data: Record<string, string> }).data;
}

export function played(scene: Scene): EncryptionAgents {
  const { encryption } = scene.rig.cilium;
  must(encryption !== undefined, 'this mesh does not play encryption');
  return encryption;
}

/** What people and nodes see while a story goes on, as it really is. */
export interface Ground {
  /** Connections from node to node that began since, and those that were lost on the way. */
  readonly connections: number;
  readonly lost: number;
  /** Connections of all kinds that came up and never ended. */
  readonly hung: number;
  /** Agents that were away at once, at most. */
  readonly mostAway: number;
  /** Workloads on several nodes of which every pod was behind an agent that was away, at any time. */
  readonly whollyAway: readonly string[];
  /** Agents that were replaced. */
  readonly replaced: number;
}

/** Measures from now until it is asked. */
export function measure(scene: Scene): () => Ground {
  const since = Date.now();
  let mostAway = 0;
  const whollyAway = new Set<string>();
  const seen = new Set<string>();
  const stop = new AbortController();
  const look = async (): Promise<void> => {
    while (!stop.signal.aborted) {
      const now = await agents(scene);
      const there = new Set(now.filter(isReady).map(({ spec }) => spec.nodeName));
      const away = scene.rig.cilium.nodes.map(({ name }) => name).filter((name) => !there.has(name));
      mostAway = Math.max(mostAway, away.length);
      for (const workload of behind(scene, away)) whollyAway.add(workload);
      for (const { metadata } of now) seen.add(metadata.uid);
      await scene.wait(25);
    }
  };
  let unread: unknown;
  look().catch((error: unknown) => {
    unread = error;
  });
  return () => {
    stop.abort();
    must(unread === undefined, `the agents could not be read all the time: ${String(unread)}`);
    const tried = scene.rig.cilium.truth.connections.list.filter(({ at }) => at >= since);
    const begun = tried.filter(({ what }) => what === 'new');
    const nodes = new Map(scene.rig.cilium.pods().map(({ name, node }) => [name, node]));
    return {
      connections: begun.filter((one) => crosses(nodes, one)).length,
      lost: begun.filter(({ why }) => why === LOST).length,
      hung: tried.filter(({ what, why }) => what === 'established' && why === HANGS).length,
      mostAway,
      whollyAway: [...whollyAway],
      replaced: seen.size - scene.rig.cilium.nodes.length,
    };
  };
}

/** Workloads with pods on more than one node that have them on these alone. */
function behind(scene: Scene, nodes: readonly string[]): readonly string[] {
  const byService = Map.groupBy(scene.rig.cilium.pods(), ({ group }) => group);
  return [...byService].flatMap(([workload, pods]) => {
    const places = new Set(pods.map(({ node }) => node));
    return places.size > 1 && [...places].every((node) => nodes.includes(node)) ? [workload] : [];
  });
}

/** No stage leaves more agents down at once than it may, nor all pods of a workload behind them. */
export function oneAtATime({ mostAway, whollyAway }: Ground): void {
  must(mostAway === 1, `${mostAway} agents were away at once`);
  must(whollyAway.length === 0, `all pods of ${whollyAway.join()} were behind agents that were away`);
}

/** From a pod of one node to a pod of another. */
function crosses(nodes: ReadonlyMap<string, string>, { source, destination }: TrueConnection): boolean {
  const nodeOf = (key: string): string | undefined => nodes.get(key.slice(key.lastIndexOf('/') + 1));
  const [from, to] = [nodeOf(source), nodeOf(destination)];
  return from !== undefined && to !== undefined && from !== to;
}

/** Types it, and approves what is asked: one reviewer, or two for what needs two. */
export async function approved(
  scene: Scene,
  line: string,
  approvers: readonly ('reviewer' | 'reviewer2')[] = ['reviewer'],
): Promise<Operation> {
  const operation = await scene.begin(line);
  for (const person of approvers) {
    await operation.phase('waiting');
    const { ok, error } = await operation.press(person, APPROVE);
    must(ok, `the approval of ${person} was refused: ${error}`);
  }
  return operation;
}

/** Everything of the configuration is as it was: keys, nothing that tells single nodes, no key of any node, no pod with one. */
export async function asBefore(scene: Scene, before: Readonly<Record<string, string>>): Promise<void> {
  const now = await config(scene);
  must(JSON.stringify(now) === JSON.stringify(before), `cilium-config is ${JSON.stringify(now)}`);
  const { items } = (await scene.read(NODE_CONFIGS)) as { items: readonly unknown[] };
  must(items.length === 0, `${items.length} CiliumNodeConfigs are left`);
  await unkeyed(scene);
}

/** Agents write what pods carry after their own start. */
export async function unkeyed(scene: Scene): Promise<void> {
  await scene.until(async () => (await keyedPods(scene)).length === 0, 'no pod to carry a key');
}

/** Pods whose CiliumEndpoint tells others to encrypt what they send to it. */
async function keyedPods(scene: Scene): Promise<readonly string[]> {
  const { items } = (await scene.read('/apis/cilium.io/v2/ciliumendpoints')) as {
    items: readonly {
      readonly metadata: { readonly name: string };
      readonly status?: { readonly encryption?: { readonly key?: number } };
    }[];
  };
  return items.filter(({ status }) => (status?.encryption?.key ?? 0) !== 0).map(({ metadata }) => metadata.name);
}

/** No node publishes a key or encrypts. */
export async function allOff(scene: Scene): Promise<boolean> {
  const encryption = played(scene);
  return scene.rig.cilium.nodes.every(({ name }) => encryption.of(name).publicKey === undefined && !encryption.of(name).encrypting);
}

/** As somebody does who uses Helm: cilium-config first, then the agents, until every node encrypts. */
export async function turnedOnByHand(scene: Scene): Promise<void> {
  const encryption = played(scene);
  const names = scene.rig.cilium.nodes.map(({ name }) => name);
  await configure(scene, { 'enable-wireguard': 'true' });
  for (const name of names) await replaceAgent(scene, name);
  await scene.until(() => names.every((name) => encryption.of(name).encrypting), 'every node to encrypt');
}

export function says(text: string, ...parts: readonly string[]): void {
  for (const part of parts) must(text.includes(part), `it does not say "${part}": ${text}`);
}

/** The person who asked was told. */
export async function seenSomewhere(scene: Scene, words: string): Promise<void> {
  await scene.until(() => scene.heard().some((text) => text.includes(words)), `the answer "${words}"`);
}
