import { must, type Scenario } from '../scenario.ts';
import { CANARY } from '../scene.ts';
import { approvedCanary } from './canary.ts';
import { edit } from './routes.ts';

/** Stories of what goes wrong late: after the last stage, after the restore, between two stages. */

const ROUTE = '/apis/gateway.networking.k8s.io/v1/namespaces/backend/httproutes/backend';
const BINDING = '/apis/rbac.authorization.k8s.io/v1/namespaces/backend/rolebindings/mesh-operators';

const after: Scenario = {
  name: 'canary-after',
  story: 'all stages are in force; v2 begins to fail in the afterwatch, and everything is put back',
  play: async (scene) => {
    const operation = await approvedCanary(scene);
    await operation.phase('afterwatch');
    await scene.wait(scene.random() * 1_500);
    scene.break(({ cilium }) => cilium.faults.errorRate(CANARY, 1));
    const outcome = await operation.result();
    must(outcome.kind === 'rolled-back' && outcome.restoredExactly === true, `the outcome is ${outcome.kind}: ${outcome.words}`);
    must((await scene.weight(CANARY)) === 0, 'the canary still has weight');
    return { operation };
  },
};

const stillFailing: Scenario = {
  name: 'canary-still-failing',
  story: 'the canary had 5% before; put back to that it fails all the same: said so, 0% offered, taken, and it is quiet',
  tuning: { restoredWatch: '8s' },
  play: async (scene) => {
    await edit(scene, ROUTE, [
      { op: 'replace', path: '/spec/rules/0/backendRefs/0/weight', value: 95 },
      { op: 'replace', path: '/spec/rules/0/backendRefs/1/weight', value: 5 },
    ]);
    await scene.until(() => scene.rig.cilium.truth.weights.at(-1)?.inForceAt !== undefined, 'the weights to be in force');
    const operation = await approvedCanary(scene, '/mesh canary backend 25% --steps 25 --soak 30s');
    scene.break(({ cilium }) => cilium.faults.errorRate(CANARY, 1));
    const outcome = await operation.result();
    must(outcome.kind === 'rolled-back' && outcome.restoredExactly === true, `the outcome is ${outcome.kind}: ${outcome.words}`);
    must(
      outcome.stillFailing?.hasShare === true && outcome.words.includes('Rolled back, still failing'),
      `the words are: ${outcome.words}`,
    );
    must((await scene.weight(CANARY)) === 5, 'the canary has not what it had before');
    must((await operation.press('operator', 'meshops:next-zero')).ok, 'the offer of 0% was not taken');
    await scene.until(async () => (await scene.weight(CANARY)) === 0, 'the canary to have nothing');
    return { operation, extra: { words: outcome.words } };
  },
};

const rightsRevoked: Scenario = {
  name: 'rights-revoked-mid-stage',
  story: 'the requester loses the right to write between two stages: the next is refused, and the bot itself puts everything back',
  play: async (scene) => {
    const { metadata: _, ...binding } = (await scene.read(BINDING)) as { metadata: object };
    const metadata = { name: 'mesh-operators', namespace: 'backend' };
    const operation = await approvedCanary(scene, '/mesh canary backend 10% --steps 5,10 --soak 4s');
    await scene.remove(BINDING);
    try {
      const outcome = await operation.result();
      must(outcome.kind === 'failed' && outcome.code === 'Forbidden', `the outcome is ${outcome.kind} ${outcome.code}: ${outcome.words}`);
      must(outcome.restoredExactly === true, 'not everything is as it was');
      must((await scene.weight(CANARY)) === 0, 'the canary still has weight');
      return { operation, extra: { words: outcome.words } };
    } finally {
      await scene.put(BINDING, { ...binding, metadata });
    }
  },
};

export const lateStories: readonly Scenario[] = [after, stillFailing, rightsRevoked];
