/** Largest step, in points, for what is not on the configured ladder. */
const OFF_LADDER_POINTS = 10;

/**
 * The shares in percent that a change from `today` to `target` visits, `target` last. Up to 10% is one step, and so is every way
 * down (less exposure is the safe direction). A longer climb visits the rungs above today's share; where the target is no rung
 * itself, the steps from the last rung to it are at most 10 points. Explicit steps replace the ladder; those behind today's share
 * are left out.
 */
export function climb(today: number, target: number, ladder: readonly number[], explicit?: readonly number[]): readonly number[] {
  const between = (steps: readonly number[]) =>
    steps.filter((step) => (target > today ? step > today && step < target : step < today && step > target));
  if (explicit) return [...between(explicit).toSorted((a, b) => (target > today ? a - b : b - a)), target];
  if (target <= OFF_LADDER_POINTS || target <= today) return [target];
  const rungs = between(ladder).toSorted((a, b) => a - b);
  if (ladder.includes(target)) return [...rungs, target];
  const steps = [...rungs];
  for (let at = rungs.at(-1) ?? today; tenths(target - at) > OFF_LADDER_POINTS; ) {
    at = tenths(at + OFF_LADDER_POINTS);
    steps.push(at);
  }
  return [...steps, target];
}

/** The longest way between two neighbours of the ladder, in points: nothing inferred may take more from the majority at once. */
export function largestStep(ladder: readonly number[]): number {
  const rungs = [0, ...ladder.toSorted((a, b) => a - b)];
  return rungs.reduce((most, rung, index) => Math.max(most, rung - (rungs[index - 1] ?? 0)), OFF_LADDER_POINTS);
}

function tenths(percent: number): number {
  return Math.round(percent * 10) / 10;
}
