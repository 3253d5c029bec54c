import { openLine } from '../../rig/line.ts';
import { must, type Scenario } from '../scenario.ts';
import { CANARY, type Scene } from '../scene.ts';
import { approvedCanary } from './canary.ts';
import { logOf } from './outages.ts';

/** The attempt that Temporal knows of the operation's watch. */
async function watchAttempt(scene: Scene, workflowId: string): Promise<number> {
  const { raw } = await scene.rig.temporal.workflow.getHandle(workflowId).describe();
  return Math.max(
    0,
    ...(raw.pendingActivities ?? [])
      .filter(({ activityType }) => activityType?.name?.endsWith('.watch'))
      .map(({ attempt }) => attempt ?? 0),
  );
}

async function until(scene: Scene, holds: () => Promise<boolean>, what: string, timeoutMs: number): Promise<void> {
  const end = Date.now() + timeoutMs;
  while (!(await holds())) {
    must(Date.now() < end, `${what} did not come within ${timeoutMs} ms`);
    await scene.wait(100);
  }
}

/** The network splits between a worker and Temporal: its watch goes on beside the one that takes over. */
export const partitionStories: readonly Scenario[] = [
  {
    name: 'temporal-partition',
    byHand: 'takes a minute and a half',
    story: 'two watches of one stage live at once, the stale one wakes up in the next operation and fires: nothing is changed',
    rig: { worker: false },
    play: async (scene) => {
      const { rig } = scene;
      const { stack, cilium } = rig;
      const line = await openLine(stack.temporal.address);
      const cutOff = await rig.startWorker({ temporal: line.address });
      try {
        const first = await approvedCanary(scene, '/mesh canary backend 10% --soak 60s');
        line.cut(true);
        await rig.startWorker();
        await until(scene, async () => (await watchAttempt(scene, first.handle.workflowId)) >= 2, 'a second attempt of the watch', 30_000);
        // Both watch. The cut-off one is frozen now, so that what it has heard and not yet judged is old news when it goes on.
        await scene.wait(1_000);
        cutOff.kill('SIGSTOP');
        scene.break(() => cilium.faults.errorRate(CANARY, 1));
        const outcome = await first.result();
        must(outcome.kind === 'rolled-back' && outcome.restoredExactly === true, `the first outcome is ${outcome.kind}: ${outcome.words}`);
        cilium.faults.mend();
        const known = new Set(scene.newRoots().map(({ ts }) => ts));
        const shown = await scene.type('/mesh canary backend 10% --soak 8s');
        must(shown.ok, `Slack said ${shown.error}`);
        const second = await scene.operation(20_000, known);
        await second.press('reviewer', 'meshops:approve');
        await second.phase('watching');
        const weightsBefore = cilium.truth.weights.length;
        cutOff.kill('SIGCONT');
        await scene.wait(4_000);
        must((await scene.weight(CANARY)) === 10, 'the stale watch changed the weight of the next operation');
        must(cilium.truth.weights.length === weightsBefore, 'the weights were changed and put back');
        const kept = await second.result();
        must(kept.kind === 'completed', `the second outcome is ${kept.kind}: ${kept.words}`);
        const log = await logOf(scene, cutOff.name);
        const stale = /"result":"(superseded|restored)"/.exec(log)?.[1] ?? 'did not fire';
        must(stale !== 'restored', 'the stale watch says that it restored');
        return { operation: second, extra: { stale } };
      } finally {
        cutOff.kill('SIGCONT');
        line.stop();
      }
    },
  },
];
