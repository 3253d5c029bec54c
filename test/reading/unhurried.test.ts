import { expect, it } from 'vitest';
import { alone, unhurried } from '../../src/reading/unhurried.ts';

/** Notes each turn of the event loop until it is stopped. */
function turns(): { readonly count: () => number; stop(): void } {
  let count = 0;
  let next = setImmediate(function again() {
    count += 1;
    next = setImmediate(again);
  });
  return { count: () => count, stop: () => clearImmediate(next) };
}

function busy(ms: number): void {
  const until = performance.now() + ms;
  while (performance.now() < until);
}

it('gives others their turn before it, between its stretches, and after it', async () => {
  const loop = turns();
  const at: number[] = [];
  try {
    const work = function* (): Generator<undefined, string> {
      at.push(loop.count());
      for (let step = 0; step < 4; step += 1) {
        busy(6);
        yield undefined;
      }
      at.push(loop.count());
      return 'done';
    };
    const before = loop.count();
    expect(await unhurried(work())).toBe('done');
    const [first = 0, last = 0] = at;
    expect(first - before).toBeGreaterThan(0);
    expect(last - first).toBeGreaterThan(2);
    expect(loop.count() - last).toBeGreaterThan(0);
  } finally {
    loop.stop();
  }
});

it('ends with the reason of its signal, and runs nothing once that is aborted', async () => {
  let ran = false;
  const aborted = AbortSignal.abort(new Error('stopped'));
  await expect(
    unhurried(
      alone(() => (ran = true)),
      aborted,
    ),
  ).rejects.toThrow('stopped');
  expect(ran).toBe(false);
});
