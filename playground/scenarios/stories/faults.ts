import { PEOPLE } from '../operation.ts';
import { must, type Scenario } from '../scenario.ts';
import { CANARY, type Scene } from '../scene.ts';
import { approvedCanary } from './canary.ts';
import { killWorker } from './workers.ts';

/** Stories in which something is missing or dies. */
export const faultStories: readonly Scenario[] = [
  {
    name: 'canary-not-ready',
    story: 'the canary has no ready pod: refused with the reason before anything is changed',
    play: async (scene) => {
      scene.rig.cilium.faults.crash(CANARY);
      await scene.until(() => scene.rig.cilium.pods().every((pod) => pod.group !== CANARY || !pod.ready), 'the canary pods to be unready');
      const operation = await scene.begin('/mesh canary backend 10%');
      const outcome = await operation.result();
      must(outcome.kind === 'impossible', `the outcome is ${outcome.kind}: ${outcome.words}`);
      must(/ready/i.test(outcome.words), `the words do not say why: ${outcome.words}`);
      must((await scene.weight(CANARY)) === 0, 'something was changed');
      return { operation };
    },
  },
  {
    name: 'canary-wrong-way',
    story: 'with [backend, backend-canary] the small share goes to the canary, and the message says so',
    play: async (scene) => {
      const operation = await scene.begin('/mesh canary backend 10%');
      await operation.button('meshops:approve');
      const said = JSON.stringify(operation.root().blocks);
      must(said.includes('backend-canary'), 'the message does not name the canary');
      await operation.press('reviewer', 'meshops:approve');
      await operation.phase('watching');
      const weights = [await scene.weight('backend/backend'), await scene.weight(CANARY)];
      must(weights[0] === 90 && weights[1] === 10, `the weights are ${weights.join(' and ')}`);
      const outcome = await operation.result();
      must(outcome.kind === 'completed', `the outcome is ${outcome.kind}: ${outcome.words}`);
      return { operation, extra: { weights } };
    },
  },
  {
    name: 'worker-killed',
    story: 'the worker is killed in the middle of a watch, another one takes over; then the canary breaks and is undone',
    play: async (scene) => {
      const operation = await approvedCanary(scene, '/mesh canary backend 10% --soak 30s');
      await scene.wait(scene.random() * 1_000);
      const killedAt = Date.now();
      await killWorker(scene);
      await scene.rig.startWorker();
      const takenOverMs = Date.now() - killedAt;
      scene.break(({ cilium }) => cilium.faults.errorRate(CANARY, 1));
      const outcome = await operation.result();
      must(outcome.kind === 'rolled-back' && outcome.restoredExactly === true, `the outcome is ${outcome.kind}: ${outcome.words}`);
      const applied = writes(scene);
      must(applied === 1, `the stage was applied ${applied} times`);
      return { operation, extra: { takenOverMs, applied } };
    },
  },
  {
    name: 'worker-absent',
    story: 'a command while no worker runs gets an honest answer; then there is one operation or none',
    play: async (scene) => {
      await killWorker(scene);
      const shown = await scene.type('/mesh canary backend 10%');
      const answer = shown.shown?.text ?? '';
      must(shown.ok && /not confirmed/i.test(answer), `the answer was not honest: ${shown.error ?? ''} ${answer}`);
      const operator = scene.rig.slack.drive.as(PEOPLE.operator);
      const heard = operator.ephemerals().length;
      await scene.rig.startWorker();
      const truth = await scene.rig.slack.drive.waitFor(() => operator.ephemerals()[heard] ?? scene.newRoots()[0], {
        timeoutMs: 90_000,
        what: 'the truth about the command',
      });
      const extra = { answer, truth: truth.text };
      if (!/has started/i.test(truth.text) && scene.newRoots().length === 0) return { extra };
      const operation = await scene.operation();
      await operation.abort('operator');
      must((await operation.result()).kind === 'aborted', 'the operation did not end as aborted');
      must(scene.newRoots().length === 1, `there are ${scene.newRoots().length} root messages`);
      return { operation, extra };
    },
  },
];

/** How often the canary was given weight since the story began. */
function writes(scene: Scene): number {
  return scene.rig.cilium.truth.weights.filter(
    (entry) => entry.seenAt >= scene.began && entry.weights.some((rule) => (rule[CANARY] ?? 0) > 0),
  ).length;
}
