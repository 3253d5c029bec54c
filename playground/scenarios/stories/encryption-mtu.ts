import { HANGS } from '../../cilium/connections/caller.ts';
import { must, type Scenario } from '../scenario.ts';
import type { Scene } from '../scene.ts';
import { allOff, approved, asBefore, config, measure, played, says } from './encryption-steps.ts';

/** Large packets vanish between nodes that encrypt, and nothing reports it: the stories of `/encryption on` that must not complete. */

/** Connections of the demo's mesh by which each kind of them has ended often enough. */
const ENOUGH_SEEN = 250;

export const mtu: Scenario = {
  name: 'encryption-mtu',
  rig: {},
  story:
    'large packets no longer fit between nodes that encrypt, and nothing says so: caught at the first pair, the pairs are named, all is restored',
  play: async (scene) => {
    const before = await config(scene);
    // A hang is known by connections that came to their end before: a mesh that has just begun has too few of each kind.
    await scene.until(() => scene.rig.cilium.truth.connections.list.length >= ENOUGH_SEEN, 'connections that came to their end', 90_000);
    const measured = measure(scene);
    const operation = await approved(scene, '/encryption on wireguard --soak 8s');
    scene.break(() => played(scene).blackHole(true));
    const outcome = await operation.result();
    const ground = measured();
    must(outcome.kind === 'rolled-back', `it ended as ${outcome.kind}: ${outcome.words}`);
    must(outcome.restoredExactly === true, `it was not restored exactly: ${outcome.words}`);
    says(outcome.words, '(hang)', 'node-');
    await asBefore(scene, before);
    must(await allOff(scene), 'a node encrypts still');
    must(ground.hung > 0, 'nothing hung, so there was nothing to find');
    await nothingHangs(scene);
    return { operation, extra: { ...ground, words: outcome.words } };
  },
};

/** People watch on so often while nothing has gone wrong yet. */
const MOST_EXTENDED = 6;

export const mtuEarly: Scenario = {
  name: 'encryption-mtu-early',
  rig: {},
  story:
    'the same from the first second of a mesh, when nobody knows which connections come to their end: a stage without a sign of large packets holds, says so, and none completes',
  play: async (scene) => {
    const before = await config(scene);
    const measured = measure(scene);
    scene.break(() => played(scene).blackHole(true));
    const operation = await approved(scene, '/encryption on wireguard');
    const holds: string[] = [];
    while ((await operation.anyPhase(['holding', 'restoring', 'over'], 160_000)).phase === 'holding') {
      const { verdict } = await operation.view();
      holds.push(verdict?.words ?? '');
      must(verdict?.kind === 'blind', `it holds as ${verdict?.kind}: ${verdict?.words}`);
      // The first node has nobody to encrypt for: what hangs does so from the second one on.
      const isEnough = holds.length > MOST_EXTENDED || hung(scene) > 0;
      await (isEnough ? operation.answer('operator', 'meshops:rollback') : operation.answer('reviewer', 'meshops:extend'));
    }
    const outcome = await operation.result();
    const ground = measured();
    must(outcome.kind === 'rolled-back', `it ended as ${outcome.kind}: ${outcome.words}`);
    must(outcome.restoredExactly === true, `it was not restored exactly: ${outcome.words}`);
    await asBefore(scene, before);
    must(await allOff(scene), 'a node encrypts still');
    must(ground.hung > 0, 'nothing hung, so there was nothing to find');
    await nothingHangs(scene);
    return { operation, extra: { ...ground, holds, words: outcome.words } };
  },
};

function hung(scene: Scene, since = 0): number {
  return scene.rig.cilium.truth.connections.list.filter(({ at, why }) => at >= since && why === HANGS).length;
}

async function nothingHangs(scene: Scene): Promise<void> {
  const since = Date.now();
  await scene.wait(3_000);
  const still = hung(scene, since);
  must(still === 0, `${still} connections hang still`);
}
