import type { Operation } from '../operation.ts';
import { must, type Played, type Scenario } from '../scenario.ts';
import { CANARY, type Scene } from '../scene.ts';

/** Stories of `/mesh canary` as it should go, and as it goes when the canary is bad. */

/** A canary of 10%, approved, in its first watch. */
export async function approvedCanary(scene: Scene, line = '/mesh canary backend 10%'): Promise<Operation> {
  const operation = await scene.begin(line);
  await approve(operation);
  await operation.phase('watching');
  return operation;
}

/** A reviewer says yes. */
export async function approve(operation: Operation): Promise<void> {
  const click = await operation.press('reviewer', 'meshops:approve');
  must(click.ok, `the approval was not taken: ${click.error}`);
}

const healthy: Scenario = {
  name: 'canary-healthy',
  story: '10% of the traffic goes to a healthy canary, is approved and stays',
  play: async (scene): Promise<Played> => {
    const operation = await approvedCanary(scene);
    const outcome = await operation.result();
    must(outcome.kind === 'completed', `the outcome is ${outcome.kind}: ${outcome.words}`);
    must((await scene.weight(CANARY)) === 10, 'the canary does not have its 10%');
    const [chart] = scene.rig.slack.drive.thread('C0MESH', operation.ts).flatMap((message) => message.files ?? []);
    must(chart !== undefined, 'there is no chart in the thread');
    return { operation };
  },
};

/** The canary breaks at a random moment of its first watch; the operation must undo it by itself. */
function breaking(name: string, story: string, line: string, how: (scene: Scene) => void): Scenario {
  return {
    name,
    story,
    play: async (scene) => {
      const operation = await approvedCanary(scene, line);
      await scene.wait(scene.random() * 1_500);
      scene.break(() => how(scene));
      const outcome = await operation.result();
      must(outcome.kind === 'rolled-back', `the outcome is ${outcome.kind}: ${outcome.words}`);
      must(outcome.restoredExactly === true, 'the operation does not say that everything is as it was');
      must((await scene.weight(CANARY)) === 0, 'the canary still has weight');
      return { operation };
    },
  };
}

export const canaryStories: readonly Scenario[] = [
  healthy,
  breaking('canary-5xx', 'all requests to v2 fail from a random moment of the watch', '/mesh canary backend 10%', ({ rig }) =>
    rig.cilium.faults.errorRate(CANARY, 1),
  ),
  breaking('canary-5xx-tenth', 'one in ten requests to v2 fails', '/mesh canary backend 10% --soak 60s', ({ rig }) =>
    rig.cilium.faults.errorRate(CANARY, 0.1),
  ),
];
