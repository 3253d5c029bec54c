import { must, type Scenario } from '../scenario.ts';
import { mtu, mtuEarly } from './encryption-mtu.ts';
import {
  allOff,
  approved,
  asBefore,
  config,
  configure,
  measure,
  NODE_CONFIGS,
  oneAtATime,
  played,
  says,
  seenSomewhere,
  turnedOnByHand,
  unkeyed,
} from './encryption-steps.ts';

/** Stories of `/encryption on` and `off`. Each has a rig of its own: what it loses would be the fault of every canary after it. */

const on: Scenario = {
  name: 'encryption-on',
  rig: {},
  story: 'WireGuard goes on node by node in native routing: every stage is proved, nothing is lost, and cilium-config says it at the end',
  play: async (scene) => {
    const encryption = played(scene);
    const names = scene.rig.cilium.nodes.map(({ name }) => name);
    const measured = measure(scene);
    const operation = await approved(scene, '/encryption on wireguard');
    const outcome = await operation.result();
    const ground = measured();
    must(outcome.kind === 'completed', `it ended as ${outcome.kind}: ${outcome.words}`);
    const plain = names.filter((name) => !encryption.of(name).encrypting);
    must(plain.length === 0, `${plain.join()} does not encrypt`);
    must((await config(scene))['enable-wireguard'] === 'true', 'cilium-config does not say it');
    const { items } = (await scene.read(NODE_CONFIGS)) as { items: readonly unknown[] };
    must(items.length === 0, 'what told single nodes is still there');
    must(ground.lost === 0, `${ground.lost} of ${ground.connections} connections were lost`);
    oneAtATime(ground);
    must(ground.replaced === names.length, `${ground.replaced} agents were replaced`);
    // No stage passes before the nodes that it has changed encrypt.
    const { stages } = await operation.view();
    const began = encryption.changes.filter(({ state }) => state.encrypting).map(({ at }) => at);
    const early = stages.filter(({ endedAt = 0 }, index) => index < names.length && began.filter((at) => at < endedAt).length <= index);
    must(early.length === 0, `stages ${early.map(({ number }) => number).join()} passed before their nodes encrypted`);
    return { operation, extra: { ...ground, words: outcome.words } };
  },
};

const off: Scenario = {
  name: 'encryption-off',
  rig: {},
  story: 'encryption goes off with two approvers; what nodes lose while their agents restart is what the plan says, and harms no verdict',
  play: async (scene) => {
    await turnedOnByHand(scene);
    const before = await config(scene);
    const operation = await scene.begin('/encryption off');
    const waiting = await operation.phase('waiting');
    must(waiting.gate?.quorum === 2, `${waiting.gate?.quorum} approvals are asked for`);
    await operation.said(/about 3 s, for each node/, 'the plan to say what it costs');
    await operation.said(/can be read on the wire again/, 'the plan to say that traffic can be read');
    await operation.press('reviewer', 'meshops:approve');
    must((await operation.view()).phase === 'waiting', 'one approval was enough');
    const measured = measure(scene);
    await operation.press('reviewer2', 'meshops:approve');
    const outcome = await operation.result();
    const ground = measured();
    must(outcome.kind === 'completed', `it ended as ${outcome.kind}: ${outcome.words}`);
    must(await allOff(scene), 'a node encrypts still');
    await unkeyed(scene);
    must(before['enable-wireguard'] === 'true' && (await config(scene))['enable-wireguard'] === undefined, 'cilium-config has it still');
    oneAtATime(ground);
    return { operation, extra: { ...ground, words: outcome.words } };
  },
};

const agentStuck: Scenario = {
  name: 'encryption-agent-stuck',
  rig: {},
  story: 'the agent of the second node does not come back: no other is touched, the undo waits for it, shows that, and restores',
  play: async (scene) => {
    const encryption = played(scene);
    const before = await config(scene);
    const measured = measure(scene);
    const operation = await approved(scene, '/encryption on wireguard');
    encryption.stick('node-2', true);
    await operation.phase('restoring', 150_000);
    // It comes up again with what it was told before, as one does that could not start with the new settings.
    encryption.stick('node-2', false);
    const outcome = await operation.result();
    const ground = measured();
    must(outcome.kind === 'failed', `it ended as ${outcome.kind}: ${outcome.words}`);
    says(outcome.words, 'node-2', 'has not come back');
    must(outcome.restoredExactly === true, `it was not restored exactly: ${outcome.words}`);
    await asBefore(scene, before);
    must(await allOff(scene), 'a node encrypts still');
    oneAtATime(ground);
    return { operation, extra: { ...ground, words: outcome.words } };
  },
};

const keyLost: Scenario = {
  name: 'encryption-key-lost',
  rig: {},
  story: 'a changed node loses its key: its stage is not proved, it holds and names the node, and people roll back',
  play: async (scene) => {
    const encryption = played(scene);
    const before = await config(scene);
    const measured = measure(scene);
    const operation = await approved(scene, '/encryption on wireguard');
    await operation.phase('watching', 60_000);
    await encryption.loseKey('node-1');
    await operation.phase('holding', 120_000);
    await operation.seen((message) => /node-1[^.]*a key is not published/.test(JSON.stringify(message.blocks)), 'the node without a key');
    await operation.answer('operator', 'meshops:rollback');
    const outcome = await operation.result();
    const ground = measured();
    must(outcome.kind === 'rolled-back', `it ended as ${outcome.kind}: ${outcome.words}`);
    await asBefore(scene, before);
    must(await allOff(scene), 'a node encrypts still');
    must(ground.lost === 0, `${ground.lost} of ${ground.connections} connections were lost`);
    return { operation, extra: { ...ground, words: outcome.words } };
  },
};

const workerKilled: Scenario = {
  name: 'encryption-worker-killed',
  rig: {},
  story: 'the worker dies while agents are replaced: another one goes on where it was, each agent restarts once, and nothing is lost',
  play: async (scene) => {
    const measured = measure(scene);
    const operation = await approved(scene, '/encryption on wireguard');
    await scene.until(() => played(scene).of('node-1').publicKey !== undefined, 'the first node to have its key', 60_000);
    scene.breaks();
    scene.rig.workers.at(-1)?.kill('SIGKILL');
    await scene.rig.startWorker();
    const outcome = await operation.result(240_000);
    const ground = measured();
    must(outcome.kind === 'completed', `it ended as ${outcome.kind}: ${outcome.words}`);
    must(ground.lost === 0, `${ground.lost} of ${ground.connections} connections were lost`);
    must(ground.replaced === scene.rig.cilium.nodes.length, `${ground.replaced} agents were replaced`);
    return { operation, extra: { ...ground, words: outcome.words } };
  },
};

const canaryWaits: Scenario = {
  name: 'encryption-canary-waits',
  rig: {},
  story: 'encryption has its cluster alone: a canary is refused meanwhile, and it is refused while a canary runs',
  play: async (scene) => {
    const operation = await scene.begin('/encryption on wireguard');
    await operation.phase('waiting');
    await scene.type('/mesh canary backend 10%');
    await seenSomewhere(scene, 'changes the whole cluster');
    await operation.abort('operator');
    must((await operation.result()).kind === 'aborted', 'it was not aborted');
    const canary = await scene.begin('/mesh canary backend 10%');
    await canary.phase('waiting');
    await scene.type('/encryption on wireguard');
    await seenSomewhere(scene, 'demo/backend/backend');
    await canary.abort('operator');
    await canary.result();
    return { operation };
  },
};

const drift: Scenario = {
  name: 'encryption-drift',
  rig: {},
  story:
    'somebody turns WireGuard on in cilium-config meanwhile, and off again: it holds, names the field, and takes its own back when people say so',
  play: async (scene) => {
    const before = await config(scene);
    const operation = await approved(scene, '/encryption on wireguard');
    await operation.phase('watching', 60_000);
    await configure(scene, { 'enable-wireguard': 'true' });
    await operation.phase('holding', 60_000);
    await operation.seen((message) => JSON.stringify(message.blocks).includes('enable-wireguard'), 'the field that was changed');
    await configure(scene, { 'enable-wireguard': before['enable-wireguard'] ?? null });
    await operation.answer('operator', 'meshops:leave');
    const outcome = await operation.result();
    must(outcome.kind === 'drifted', `it ended as ${outcome.kind}: ${outcome.words}`);
    await asBefore(scene, before);
    must(await allOff(scene), 'a node encrypts still');
    return { operation, extra: { words: outcome.words } };
  },
};

export const encryptionChangeStories: readonly Scenario[] = [on, off, mtu, mtuEarly, agentStuck, keyLost, workerKilled, canaryWaits, drift];
