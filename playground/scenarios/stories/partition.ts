import type { Child } from '../../cluster/warden.ts';
import { openLine } from '../../rig/line.ts';
import type { Operation } from '../operation.ts';
import { must, type Scenario } from '../scenario.ts';
import { CANARY, type Scene } from '../scene.ts';
import { approvedCanary } from './canary.ts';
import { logOf, restartedWorker, underWatch } from './workers.ts';

/** Patches of routes by what the API server answered, from its own metrics: what was really written, and what it refused. */
async function patches(scene: Scene): Promise<{ readonly taken: number; readonly refused: number }> {
  const answer = await scene.rig.stack.kube.api({ method: 'GET', path: '/metrics', signal: AbortSignal.timeout(5_000) });
  const counts = { taken: 0, refused: 0 };
  for (const line of answer.body.split('\n')) {
    if (!line.startsWith('apiserver_request_total{') || !line.includes('resource="httproutes"') || !line.includes('verb="PATCH"')) continue;
    if (!line.includes('dry_run=""') || !line.includes('subresource=""')) continue;
    const code = /code="(\d+)"/.exec(line)?.[1] ?? '';
    counts[code === '200' ? 'taken' : 'refused'] += Number(line.slice(line.lastIndexOf(' ') + 1));
  }
  return counts;
}

/** How the fuse of a worker that nobody hears ended. */
async function staleFuse(scene: Scene, worker: string): Promise<string> {
  const fired = async () => /"result":"(\w+)".*"msg":"fuse fired"/.exec(await logOf(scene, worker))?.[1];
  return scene.poll(fired, 'the fuse of the stale watch', 20_000);
}

/** The network splits between a worker and the rest: its watch goes on beside the one that takes over. */
export const partitionStories: readonly Scenario[] = [
  {
    name: 'temporal-partition',
    story: 'a watch that is cut off lives on beside its successor and fires into the next operation of the target: nothing is changed',
    play: async (scene) => {
      const { rig } = scene;
      const { stack, cilium } = rig;
      const [temporal, kubernetes] = [await openLine(stack.temporal.address), await openLine(new URL(stack.kube.url).host)];
      const cutOff = await restartedWorker(scene, { temporal: temporal.address, kubernetes: kubernetes.address });
      try {
        const first = await approvedCanary(scene, '/mesh canary backend 10% --latency 1s --soak 60s');
        await underWatch(scene, first);
        temporal.refuse();
        // Nor does it hear any more what becomes of the route; what it writes arrives.
        kubernetes.forget();
        await rig.startWorker();
        await underWatch(scene, first, 2);
        // Its machine stands still until the next operation is under way: else it would miss the canary's requests after the abort, and fire early.
        cutOff.kill('SIGSTOP');
        await first.abort('operator');
        const aborted = await first.result();
        must(aborted.kind === 'aborted' && aborted.restoredExactly === true, `the first outcome is ${aborted.kind}: ${aborted.words}`);
        return await secondUndisturbed(scene, cutOff, first);
      } finally {
        cilium.faults.mend();
        cutOff.kill('SIGKILL');
        temporal.stop();
        kubernetes.stop();
      }
    },
  },
];

/** A second operation on the target whose limit is wider: what harms the stale watch's canary is healthy here. */
async function secondUndisturbed(scene: Scene, stale: Child, first: Operation) {
  const { truth, faults } = scene.rig.cilium;
  const second = await approvedCanary(scene, '/mesh canary backend 10% --latency 10s --soak 60s');
  const token = await scene.token();
  const [before, changes] = [await patches(scene), truth.weights.length];
  stale.kill('SIGCONT');
  scene.break(() => faults.latency(CANARY, 1_500));
  const fuse = await staleFuse(scene, stale.name);
  const after = await patches(scene);
  must(fuse === 'superseded', `the stale fuse says ${fuse}`);
  must(after.refused > before.refused, 'the stale fuse did not even try');
  must(after.taken === before.taken, 'somebody has written the route');
  must((await scene.weight(CANARY)) === 10 && truth.weights.length === changes, 'the weight of the next operation was changed');
  must((await scene.token()) === token && token?.startsWith(second.opId) === true, `the token is ${await scene.token()}, not ${token}`);
  must(second.root().text !== first.root().text, 'the message of the second operation is that of the first');
  const view = await second.view();
  must(view.phase === 'watching', `the second operation is ${view.phase}`);
  await second.abort('operator');
  const outcome = await second.result();
  must(outcome.kind === 'aborted' && outcome.restoredExactly === true, `the second outcome is ${outcome.kind}: ${outcome.words}`);
  return { operation: second, extra: { stale: fuse, refused: after.refused - before.refused } };
}
