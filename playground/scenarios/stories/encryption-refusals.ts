import { must, type Scenario } from '../scenario.ts';
import type { Scene } from '../scene.ts';
import {
  agents,
  approved,
  config,
  configure,
  measure,
  played,
  replaceAgent,
  says,
  seenSomewhere,
  turnedOnByHand,
  unkeyed,
} from './encryption-steps.ts';

/** Stories of clusters in which encryption cannot change node by node, or not at all. */

async function uids(scene: Scene): Promise<string> {
  return (await agents(scene))
    .map(({ metadata }) => metadata.uid)
    .toSorted()
    .join();
}

/** The command is refused with these words, and no agent is touched. */
async function refused(scene: Scene, line: string, ...words: readonly string[]): Promise<void> {
  const before = await uids(scene);
  const outcome = await (await scene.begin(line)).result();
  must(outcome.kind === 'impossible', `it ended as ${outcome.kind}: ${outcome.words}`);
  says(outcome.words, ...words, 'Nothing was changed.');
  await seenSomewhere(scene, words[0] ?? '');
  must((await uids(scene)) === before, 'an agent was replaced');
}

const tunnelRefused: Scenario = {
  name: 'encryption-tunnel-refused',
  rig: {},
  story: 'in tunnel mode it is refused with the reason and the way, and so is one window for all agents; no agent is touched',
  play: async (scene) => {
    await configure(scene, { 'routing-mode': 'tunnel' });
    await refused(scene, '/encryption on wireguard', 'tunnel mode', 'lose every new connection', 'native routing first');
    await refused(scene, '/encryption window wireguard', 'All agents would restart at once', 'tunnelWindow: allowed');
    return {};
  },
};

const tunnelWindow: Scenario = {
  name: 'encryption-tunnel-window',
  rig: {},
  tuning: { settings: { tunnelWindow: 'allowed' } },
  story:
    'in tunnel mode all agents restart together in one window that two people approve, on and off again; what is lost is what the plan says',
  play: async (scene) => {
    const encryption = played(scene);
    const names = scene.rig.cilium.nodes.map(({ name }) => name);
    await configure(scene, { 'routing-mode': 'tunnel' });
    for (const name of names) await replaceAgent(scene, name);
    const on = measure(scene);
    const operation = await approved(scene, '/encryption window wireguard', ['reviewer', 'reviewer2']);
    const outcome = await operation.result();
    const turnedOn = on();
    must(outcome.kind === 'completed', `it ended as ${outcome.kind}: ${outcome.words}`);
    says(outcome.words, '/encryption window off');
    must(
      names.every((name) => encryption.of(name).encrypting),
      'a node does not encrypt',
    );
    must(turnedOn.mostAway === names.length, `only ${turnedOn.mostAway} agents were away at once`);
    must(turnedOn.replaced === names.length, `${turnedOn.replaced} agents were replaced`);
    const off = measure(scene);
    const back = await approved(scene, '/encryption window off', ['reviewer', 'reviewer2']);
    const end = await back.result();
    const turnedOff = off();
    must(end.kind === 'completed', `it ended as ${end.kind}: ${end.words}`);
    await unkeyed(scene);
    must((await config(scene))['enable-wireguard'] === undefined, 'cilium-config has it still');
    return { operation, extra: { on: { ...turnedOn, words: outcome.words }, off: { ...turnedOff, words: end.words } } };
  },
};

const ipsecToWireguard: Scenario = {
  name: 'encryption-ipsec-to-wireguard',
  rig: {},
  story: 'IPsec is on: WireGuard in its place is refused, since nodes between two modes lose traffic, and off is said to come first',
  play: async (scene) => {
    await configure(scene, { 'enable-ipsec': 'true' });
    await refused(scene, '/encryption on wireguard', 'IPsec is on.', '#44691', 'Turn IPsec off first');
    return {};
  },
};

const strict: Scenario = {
  name: 'encryption-strict',
  rig: {},
  byHand: 'not told to its end yet',
  story: 'strict mode drops what is not encrypted: turning encryption off under it is refused, and possible once it is off',
  play: async (scene) => {
    await turnedOnByHand(scene);
    await configure(scene, { 'enable-encryption-strict-mode-egress': 'true' });
    await refused(scene, '/encryption off', 'Strict mode is on', 'Turn strict mode off first');
    await configure(scene, { 'enable-encryption-strict-mode-egress': null });
    const operation = await scene.begin('/encryption off');
    await operation.phase('waiting');
    await operation.press('operator', 'meshops:abort');
    const outcome = await operation.result();
    must(outcome.kind === 'aborted', `it ended as ${outcome.kind}: ${outcome.words}`);
    return {};
  },
};

export const encryptionRefusalStories: readonly Scenario[] = [tunnelRefused, tunnelWindow, ipsecToWireguard, strict];
