import type { Operation } from '../operation.ts';
import { must, type Played, type Scenario } from '../scenario.ts';
import { CANARY, type Scene } from '../scene.ts';
import { approvedCanary } from './canary.ts';
import { killWorker, logOf, underWatch, workerOf } from './workers.ts';

/** Stories in which something that meshops leans on is away while the canary breaks: the fuse fires all the same. */

const LONG = '/mesh canary backend 10% --soak 60s';

/** Breaks the canary and waits until the API server has the old weights again; milliseconds from the break. */
async function brokenAndUndone(scene: Scene, timeoutMs = 20_000): Promise<number> {
  scene.break(({ cilium }) => cilium.faults.errorRate(CANARY, 1));
  const undone = () =>
    scene.rig.cilium.truth.weights.find((entry) => entry.seenAt >= (scene.brokenAt ?? 0) && (entry.weights[0]?.[CANARY] ?? 0) === 0);
  await scene.until(() => undone() !== undefined, 'the undo', timeoutMs);
  return Math.round((undone()?.seenAt ?? 0) - (scene.brokenAt ?? 0));
}

/** Stops Temporal under a watch and breaks the canary; returns when the old weights are back, Temporal still being down until then. */
async function undoneWithoutTemporal(scene: Scene, operation: Operation, then: () => Promise<void>): Promise<number> {
  const { temporal } = scene.rig.stack;
  await underWatch(scene, operation);
  await temporal.stop();
  try {
    // The SDK gives an attempt up when no heartbeat has been taken for a while; the watch must not end with it.
    const { name } = workerOf(scene);
    const givenUp = new RegExp(`"opId":"${operation.opId}".*takes no heartbeats`);
    await scene.until(async () => givenUp.test(await logOf(scene, name)), 'the attempt to be given up');
    const undoneMs = await brokenAndUndone(scene);
    must(temporal.pid() === undefined, "Temporal's server runs");
    await then();
    return undoneMs;
  } finally {
    await temporal.start(AbortSignal.timeout(60_000));
  }
}

async function rolledBack(scene: Scene, operation: Operation, extra: NonNullable<Played['extra']> = {}): Promise<Played> {
  const outcome = await operation.result();
  must(outcome.kind === 'rolled-back' && outcome.code === 'Harmful', `the outcome is ${outcome.kind} ${outcome.code}: ${outcome.words}`);
  must(outcome.restoredExactly === true, 'the operation does not say that everything is as it was');
  must((await scene.weight(CANARY)) === 0, 'the canary still has weight');
  return { operation, extra };
}

/** How often the canary was given weight since the story began. */
function exposures(scene: Scene): number {
  return scene.rig.cilium.truth.weights.filter((entry) => entry.seenAt >= scene.began && (entry.weights[0]?.[CANARY] ?? 0) > 0).length;
}

export const outageStories: readonly Scenario[] = [
  {
    name: 'prometheus-down',
    story: 'Prometheus is gone: flows suffice, and a canary that breaks is undone as ever',
    play: async (scene) => {
      const { prometheus } = scene.rig.stack;
      await prometheus.stop();
      try {
        const operation = await approvedCanary(scene, LONG);
        return await rolledBack(scene, operation, { undoneMs: await brokenAndUndone(scene) });
      } finally {
        await prometheus.start(AbortSignal.timeout(60_000));
      }
    },
  },
  {
    name: 'slack-down',
    story: 'Slack is gone when the canary breaks: undone at once, and told when Slack is back',
    play: async (scene) => {
      const { slack } = scene.rig;
      const operation = await approvedCanary(scene, LONG);
      await slack.faults.down('refuse');
      let undoneMs: number;
      try {
        undoneMs = await brokenAndUndone(scene);
      } finally {
        await slack.faults.down(false);
      }
      return rolledBack(scene, operation, { undoneMs });
    },
  },
  {
    name: 'slack-429',
    story: 'Slack answers everything with 429 when the canary breaks: undone at once, and told later',
    play: async (scene) => {
      const { slack } = scene.rig;
      const operation = await approvedCanary(scene, LONG);
      slack.faults.rateLimited(2);
      let undoneMs: number;
      try {
        undoneMs = await brokenAndUndone(scene);
      } finally {
        slack.faults.rateLimited(false);
      }
      return rolledBack(scene, operation, { undoneMs });
    },
  },
  {
    name: 'apiserver-slow',
    story: 'the API server answers only every now and then while the canary breaks: the fuse tries until it is written',
    play: async (scene) => {
      const { apiserver } = scene.rig.stack.kube;
      const operation = await approvedCanary(scene, LONG);
      // Frozen for most of the time: calls take up to a second and a half, some run into their deadline.
      let slow = true;
      const stutter = (async () => {
        while (slow) {
          apiserver.pause();
          await scene.wait(1_500);
          apiserver.resume();
          await scene.wait(300);
        }
      })();
      try {
        await scene.wait(200);
        const undoneMs = await brokenAndUndone(scene, 40_000);
        slow = false;
        await stutter;
        return await rolledBack(scene, operation, { undoneMs });
      } finally {
        slow = false;
        await stutter;
      }
    },
  },
  {
    name: 'temporal-restarted',
    story: "Temporal's server is stopped in the middle of a watch and the canary breaks: the fuse needs no server; told when it is back",
    play: async (scene) => {
      const operation = await approvedCanary(scene, LONG);
      const undoneMs = await undoneWithoutTemporal(scene, operation, async () => undefined);
      return rolledBack(scene, operation, { undoneMs });
    },
  },
  {
    name: 'verdict-lost',
    story: "the fuse fires with Temporal's server stopped, and its worker dies with the verdict: another worker sees what has been done",
    play: async (scene) => {
      const operation = await approvedCanary(scene, LONG);
      const undoneMs = await undoneWithoutTemporal(scene, operation, () => killWorker(scene));
      await scene.rig.startWorker();
      return rolledBack(scene, operation, { undoneMs });
    },
  },
  {
    name: 'upgrade-mid-stage',
    story: 'a new worker comes and the old one is stopped in good order in the middle of a watch; then the canary breaks',
    play: async (scene) => {
      const operation = await approvedCanary(scene, LONG);
      const old = workerOf(scene);
      await scene.rig.startWorker();
      const stoppedAt = Date.now();
      await old.stop(20_000);
      const stopMs = Date.now() - stoppedAt;
      const undoneMs = await brokenAndUndone(scene);
      must(exposures(scene) === 1, `the canary was given weight ${exposures(scene)} times`);
      return rolledBack(scene, operation, { stopMs, undoneMs });
    },
  },
];
