import type { Operation } from '../operation.ts';
import { must, type Played, type Scenario } from '../scenario.ts';
import { CANARY, type Scene, STABLE } from '../scene.ts';
import { approve, approvedCanary } from './canary.ts';
import { edit } from './routes.ts';

/** Stories of what guards an operation while it waits for something else: a gate, a question, a freeze. */

const ROUTE = '/apis/gateway.networking.k8s.io/v1/namespaces/backend/httproutes/backend';
/** People must have been told of drift within this. Milliseconds. */
const TOLD_MS = 10_000;
/** Harm must be undone within this, as anywhere else. Milliseconds. */
const UNDONE_MS = 10_000;

/** Somebody sets both weights with kubectl. */
async function setWeights(scene: Scene, canary: number): Promise<void> {
  const weight = (index: number, value: number): object => ({ op: 'replace', path: `/spec/rules/0/backendRefs/${index}/weight`, value });
  await edit(scene, ROUTE, [weight(0, 100 - canary), weight(1, canary)], 'kubectl-patch');
}

/** Waits until the message asks about what was changed; milliseconds since the change. */
async function asked(operation: Operation, since: number, found: string): Promise<number> {
  await operation.seen((message) => {
    const text = JSON.stringify(message.blocks);
    return text.includes('kubectl-patch') && text.includes(`found \`${found}\``) && text.includes('meshops:restore');
  }, 'the question about what was changed');
  return Date.now() - since;
}

/** v2 fails from now on; milliseconds until the canary has nothing in force any more. */
async function harmUndone(scene: Scene): Promise<number> {
  scene.break(({ cilium }) => cilium.faults.errorRate(CANARY, 1));
  const { brokenAt = 0, rig } = scene;
  await scene.until(
    () => rig.cilium.truth.weights.some(({ seenAt, weights }) => seenAt >= brokenAt && weights.every((rule) => (rule[CANARY] ?? 0) === 0)),
    'the canary to have nothing any more',
    40_000,
  );
  return Date.now() - brokenAt;
}

/** Drift with harm in it: told, undone in time, and only our own weight goes back. */
async function harmAfterDrift(scene: Scene, operation: Operation): Promise<Played> {
  const driftedAt = Date.now();
  await setWeights(scene, 50);
  const toldMs = await asked(operation, driftedAt, '50');
  must(toldMs <= TOLD_MS, `people were told after ${toldMs} ms`);
  const undoneMs = await harmUndone(scene);
  must(undoneMs <= UNDONE_MS, `harm after the drift was undone after ${undoneMs} ms`);
  const outcome = await operation.result();
  must(outcome.kind === 'rolled-back' && outcome.code === 'Harmful', `the outcome is ${outcome.kind} ${outcome.code}: ${outcome.words}`);
  must((await scene.weight(CANARY)) === 0, 'the canary still has weight');
  // Others' changes are kept.
  must((await scene.weight(STABLE)) === 50, `stable has ${await scene.weight(STABLE)}`);
  return { operation, extra: { toldMs, undoneMs, words: outcome.words } };
}

async function freeze(scene: Scene, operation: Operation): Promise<void> {
  const shown = await scene.type('/mesh freeze demo 10m release weekend');
  must(shown.ok, `Slack said ${shown.error}`);
  await scene.until(async () => (await operation.view()).frozen !== undefined, 'the operation to show the freeze');
}

const whileFrozen: Scenario = {
  name: 'drift-while-frozen',
  story: 'frozen at 5%, somebody sets 50% with kubectl and v2 fails: people are told, and it is undone as fast as anywhere else',
  play: async (scene) => {
    const operation = await approvedCanary(scene, '/mesh canary backend 10% --steps 5,10 --soak 8s');
    try {
      await freeze(scene, operation);
      must((await operation.view()).phase === 'holding', 'it does not wait for the freeze');
      return await harmAfterDrift(scene, operation);
    } finally {
      await scene.type('/mesh unfreeze demo');
    }
  },
};

const whileAsked: Scenario = {
  name: 'drift-while-asked',
  story: 'while 10% waits for its approval somebody sets 3%: asked about, written over, the gate opens again; then 50% and a failing v2',
  tuning: { secondGate: '5%' },
  play: async (scene) => {
    const operation = await approvedCanary(scene, '/mesh canary backend 10% --steps 5,10 --soak 4s');
    await operation.phase('waiting');
    const driftedAt = Date.now();
    await setWeights(scene, 3);
    const firstToldMs = await asked(operation, driftedAt, '3');
    must((await operation.press('reviewer', 'meshops:restore')).ok, 'restore was not taken');
    await operation.phase('waiting');
    must((await scene.weight(CANARY)) === 5, 'our value was not written again');
    await operation.button('meshops:approve');
    const played = await harmAfterDrift(scene, operation);
    return { ...played, extra: { ...played.extra, firstToldMs } };
  },
};

const atSecondGate: Scenario = {
  name: 'freeze-at-second-gate',
  story: 'a freeze is set while the second gate is open: the gate shows it, the approval waits for its end, and then counts',
  tuning: { secondGate: '5%' },
  play: async (scene) => {
    const operation = await approvedCanary(scene, '/mesh canary backend 10% --steps 5,10 --soak 4s');
    await operation.phase('waiting');
    try {
      await freeze(scene, operation);
      await operation.seen((message) => {
        const text = JSON.stringify(message.blocks);
        return text.includes('release weekend') && text.includes('meshops:approve');
      }, 'the gate that shows the freeze');
      await approve(operation);
      await operation.phase('holding');
      await scene.wait(3_000);
      must((await scene.weight(CANARY)) === 5, 'the next share was written under a freeze');
      await scene.type('/mesh unfreeze demo');
      const outcome = await operation.result();
      must(outcome.kind === 'completed', `the outcome is ${outcome.kind}: ${outcome.words}`);
      must((await scene.weight(CANARY)) === 10, 'the approved share was not written');
      return { operation };
    } finally {
      await scene.type('/mesh unfreeze demo');
    }
  },
};

export const guardStories: readonly Scenario[] = [whileFrozen, whileAsked, atSecondGate];
