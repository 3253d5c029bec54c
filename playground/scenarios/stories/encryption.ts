import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { encryptionRead } from '../../../src/cli/encryption.ts';
import { SETTLING_MS } from '../../../src/domain/encryption/reading.ts';
import { LOST } from '../../cilium/connections/decision.ts';
import { CHANNEL } from '../operation.ts';
import { must, type Scenario } from '../scenario.ts';
import type { Scene } from '../scene.ts';

/** Stories of encryption between nodes: what is said of it, against what the nodes really do. */

const CONFIG = '/api/v1/namespaces/kube-system/configmaps/cilium-config';
const PODS = '/api/v1/namespaces/kube-system/pods';
const ENDPOINTS = '/apis/cilium.io/v2/ciliumendpoints';
const WIREGUARD_KEY = 255;

async function configure(scene: Scene, data: Readonly<Record<string, string | null>>): Promise<void> {
  const contentType = 'application/merge-patch+json';
  const body = JSON.stringify({ data });
  const answer = await scene.rig.stack.kube.api({ method: 'PATCH', path: CONFIG, body, contentType, signal: AbortSignal.timeout(5_000) });
  must(answer.status === 200, `cilium-config was not changed (${answer.status}): ${answer.body.slice(0, 300)}`);
}

interface AgentPod {
  readonly metadata: { readonly name: string; readonly uid: string };
  readonly spec: { readonly nodeName: string };
  readonly status?: {
    readonly conditions?: readonly { readonly type: string; readonly status: string }[];
    readonly containerStatuses?: readonly { readonly state: { readonly running?: { readonly startedAt: string } } }[];
  };
}

async function agentOn(scene: Scene, node: string): Promise<AgentPod | undefined> {
  const { items } = (await scene.read(`${PODS}?labelSelector=k8s-app=cilium`)) as { items: readonly AgentPod[] };
  return items.find(({ spec }) => spec.nodeName === node);
}

interface Endpoints {
  readonly items: readonly {
    readonly metadata: { readonly name: string };
    readonly status?: { readonly encryption?: { readonly key?: number } };
  }[];
}

/** Waits until every pod of a node carries the key that its agent writes after its own start. */
async function keyed(scene: Scene, name: string): Promise<void> {
  await scene.until(async () => {
    const { items } = (await scene.read(ENDPOINTS)) as Endpoints;
    const keys = new Map(items.map(({ metadata, status }) => [metadata.name, status?.encryption?.key]));
    const own = scene.rig.cilium.pods().filter(({ node }) => node === name);
    return own.length > 0 && own.every((pod) => keys.get(pod.name) === WIREGUARD_KEY);
  }, `the pods of ${name} to carry its key`);
}

/** Deletes the agent of a node, and waits for the next one to be ready. */
async function replaceAgent(scene: Scene, node: string): Promise<void> {
  const before = await agentOn(scene, node);
  must(before !== undefined, `${node} has no agent`);
  await scene.remove(`${PODS}/${before.metadata.name}`);
  await scene.until(async () => {
    const now = await agentOn(scene, node);
    const ready = now?.status?.conditions?.some(({ type, status }) => type === 'Ready' && status === 'True');
    return now !== undefined && now.metadata.uid !== before.metadata.uid && ready === true;
  }, `the next agent of ${node}`);
}

/** Waits until no agent is too young for a word on what it does: the API server's times are whole seconds. */
async function settled(scene: Scene): Promise<void> {
  await scene.until(
    async () => {
      const { items } = (await scene.read(`${PODS}?labelSelector=k8s-app=cilium`)) as { items: readonly AgentPod[] };
      const starts = items.flatMap(
        ({ status }) => status?.containerStatuses?.map(({ state }) => Date.parse(state.running?.startedAt ?? '')) ?? [],
      );
      return starts.length === scene.rig.cilium.nodes.length && Date.now() - Math.max(...starts) > SETTLING_MS;
    },
    'every agent to be old enough',
    SETTLING_MS * 2,
  );
}

/** What the channel reads, with its picture. */
async function status(scene: Scene): Promise<{ readonly text: string; readonly files: readonly string[] }> {
  const { drive } = scene.rig.slack;
  const said = (): ReturnType<typeof drive.messages> => drive.messages(CHANNEL).filter(({ text }) => text?.startsWith('Encryption demo: '));
  const before = said().length;
  await scene.type('/encryption status');
  const message = await scene.poll(() => said()[before], 'the state of the encryption');
  const files = await scene.poll(() => {
    const found = drive.thread(CHANNEL, message.ts).flatMap((reply) => reply.files ?? []);
    return found.length > 0 ? found : undefined;
  }, 'the picture');
  const text = (message.blocks ?? []).map((block) => JSON.stringify(block)).join('\n');
  return { text: `${message.text}\n${text}`, files: files.map(({ name }) => String(name)) };
}

/** The same on the command line. */
async function onCommandLine(scene: Scene): Promise<{ readonly code: number; readonly text: string }> {
  const { stack, bot } = scene.rig;
  const lines: string[] = [];
  const configPath = join(stack.dir, `${bot.name}.yaml`);
  must((await readFile(configPath, 'utf8')).length > 0, 'the bot has no configuration');
  const print = (line: string): void => void lines.push(line);
  const code = await encryptionRead({ what: 'status', json: false, configPath, print, signal: AbortSignal.timeout(10_000) });
  return { code, text: lines.join('\n') };
}

function says({ text }: { readonly text: string }, ...parts: readonly string[]): void {
  for (const part of parts) must(text.includes(part), `it does not say "${part}": ${text}`);
}

const encryptionStatus: Scenario = {
  name: 'encryption-status',
  rig: {},
  story: 'somebody turns WireGuard on by hand: status says what is configured and running on each node, and never more than is true',
  play: async (scene) => {
    const { encryption, nodes } = scene.rig.cilium;
    must(encryption !== undefined, 'this mesh does not play encryption');
    const names = nodes.map(({ name }) => name);
    const before = ((await scene.read(CONFIG)) as { data: Record<string, string> }).data;
    try {
      says(await status(scene), 'Encryption demo: off', '3 nodes, native routing');
      await configure(scene, { 'enable-wireguard': 'true' });
      // The API server's times are whole seconds.
      await scene.wait(1_100);
      const asked = await status(scene);
      says(asked, 'Encryption demo: off', '3 nodes disagree', 'node-1: agent older than its configuration');
      must(asked.files.includes('encryption-demo.png'), `there is no picture: ${asked.files.join(', ')}`);
      await replaceAgent(scene, 'node-1');
      await keyed(scene, 'node-1');
      const first = await status(scene);
      says(
        first,
        'Encryption demo: WireGuard on 1 of 3 nodes',
        '2 nodes disagree',
        'may be older than the encryption',
        '0 encrypted, 2 plain, 4 changing',
      );
      for (const node of names.slice(1)) await replaceAgent(scene, node);
      for (const node of names) await keyed(scene, node);
      const early = await status(scene);
      says(early, 'Encryption demo: WireGuard on 3 of 3 nodes', '0 encrypted, 6 changing');
      // Nobody is called encrypted before the last agent is old enough.
      await scene.until(() => names.every((name) => encryption.of(name).encrypting), 'every node to encrypt');
      await settled(scene);
      says(await status(scene), '6 encrypted');
      const line = await onCommandLine(scene);
      says(line, 'Encryption demo: WireGuard on 3 of 3 nodes', 'E');
      await encryption.loseKey('node-2');
      says(await status(scene), 'WireGuard on 2 of 3 nodes', 'node-2: no key published', '2 encrypted, 4 plain');
      must((await onCommandLine(scene)).code === 1, 'the command line ends as if all were well');
      return { extra: { firstKeyToEncrypted: lags(scene) } };
    } finally {
      await putBack(scene, before);
    }
  },
};

/** Settings and agents as they were. */
async function putBack(scene: Scene, before: Readonly<Record<string, string>>): Promise<void> {
  const { 'enable-wireguard': wireguard = null, 'routing-mode': routing = null } = before;
  await configure(scene, { 'enable-wireguard': wireguard, 'routing-mode': routing });
  await Promise.all(scene.rig.cilium.nodes.map(({ name }) => replaceAgent(scene, name)));
}

const encryptionPartition: Scenario = {
  name: 'encryption-partition',
  // What it loses would be the fault of every canary of the next minute.
  rig: {},
  story:
    'in tunnel mode one node gets WireGuard by hand: connections to and from it are lost, nothing reports a drop, and status names the pairs',
  play: async (scene) => {
    const { encryption, nodes, truth } = scene.rig.cilium;
    must(encryption !== undefined, 'this mesh does not play encryption');
    const before = ((await scene.read(CONFIG)) as { data: Record<string, string> }).data;
    try {
      await configure(scene, { 'routing-mode': 'tunnel' });
      for (const { name } of nodes) await replaceAgent(scene, name);
      await configure(scene, { 'enable-wireguard': 'true' });
      await replaceAgent(scene, 'node-1');
      await scene.until(() => encryption.of('node-1').encrypting, 'node-1 to encrypt');
      const [since, drops] = [Date.now(), await dropped(scene)];
      await scene.wait(1_100);
      const tried = truth.connections.list.filter(({ at, what }) => at >= since && what === 'new');
      const lost = tried.filter(({ why }) => why === LOST);
      const reported = (await dropped(scene)) - drops;
      must(lost.length > 0, `none of ${tried.length} connections was lost`);
      must(reported === 0, `${reported} drops were reported`);
      await settled(scene);
      says(await status(scene), 'WireGuard on 1 of 3 nodes', '2 plain, 4 broken', 'node-1 → node-2', 'lose new connections');
      return { extra: { connections: tried.length, lost: lost.length, drops: reported } };
    } finally {
      await putBack(scene, before);
      const states = (): boolean => nodes.every(({ name }) => encryption.of(name).publicKey === undefined);
      await scene.until(states, 'encryption to be off');
    }
  },
};

/** What all agents have counted as dropped so far. */
async function dropped({ rig }: Scene): Promise<number> {
  const texts = await Promise.all(
    rig.cilium.metrics.agents.map(async (url) => (await fetch(url, { signal: AbortSignal.timeout(5_000) })).text()),
  );
  const counts = texts.flatMap((text) => [...text.matchAll(/^hubble_drop_total\{[^}]*\} (\S+)$/gm)].map(([, count]) => Number(count)));
  return counts.reduce((sum, count) => sum + count, 0);
}

/** For each node, milliseconds from its published key to the programs that encrypt. */
function lags({ rig }: Scene): readonly number[] {
  const changes = rig.cilium.encryption?.changes ?? [];
  return rig.cilium.nodes.flatMap(({ name }) => {
    const own = changes.filter(({ node }) => node === name);
    const published = own.find(({ state }) => state.publicKey !== undefined);
    const encrypting = own.find(({ state }) => state.encrypting);
    return published && encrypting ? [Math.round(encrypting.at - published.at)] : [];
  });
}

export const encryptionStories: readonly Scenario[] = [encryptionStatus, encryptionPartition];
