import type { Rig } from '../rig/rig.ts';
import type { Scene } from './scene.ts';

/** What a story may have to do without. */
export const ABSENT = ['slack', 'temporal', 'prometheus'] as const;
export type Absent = (typeof ABSENT)[number];

/** It comes back when the canary has nothing any more, or after so long (ms): then the story has failed, and says so itself. */
const AWAY_AT_MOST_MS = 40_000;

async function away(rig: Rig, what: Absent, isAway: boolean): Promise<void> {
  const { temporal, prometheus } = rig.stack;
  if (what === 'slack') await rig.slack.faults.down(isAway ? 'refuse' : false);
  else if (isAway) await (what === 'temporal' ? temporal : prometheus).stop();
  else await (what === 'temporal' ? temporal : prometheus).start(AbortSignal.timeout(60_000));
}

/**
 * Plays a story while something is away: Prometheus all the time; Slack, or Temporal's server, from the moment at which the story
 * breaks the mesh until `canary` has no weight any more, since people and workflows are needed before and after.
 */
export async function without<T>(what: Absent, scene: Scene, canary: string, play: () => Promise<T>): Promise<T> {
  const { rig } = scene;
  if (what === 'prometheus') {
    await away(rig, what, true);
    try {
      return await play();
    } finally {
      await away(rig, what, false);
    }
  }
  let back: Promise<void> | undefined;
  scene.onBreak = () => {
    back = untilUndone(scene, canary, what);
  };
  try {
    return await play();
  } finally {
    await back;
  }
}

async function untilUndone(scene: Scene, canary: string, what: Absent): Promise<void> {
  const { rig, brokenAt = 0 } = scene;
  await away(rig, what, true);
  const end = Date.now() + AWAY_AT_MOST_MS;
  const undone = (): boolean =>
    rig.cilium.truth.weights.some(({ seenAt, weights }) => seenAt >= brokenAt && weights.every((rule) => (rule[canary] ?? 0) === 0));
  while (!undone() && Date.now() < end) await scene.wait(20);
  await away(rig, what, false);
}
