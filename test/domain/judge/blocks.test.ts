import { expect, it } from 'vitest';
import { Blocks } from '../../../src/domain/judge/blocks.ts';

/** Ten answers in each of the first windows, so that others are laid out as soon as one of them is settled. */
function busy(): Blocks {
  const blocks = new Blocks({ startedAt: 0, share: 0.5, lateMs: 1_000 });
  blocks.open(Number.POSITIVE_INFINITY);
  for (let start = 0; start < 800; start += 1) {
    const block = blocks.at(start, false);
    if (block) block.answered += 1;
  }
  return blocks;
}

it('a window is laid out before it begins: whether its first request is answered before or after others are settled changes nothing', () => {
  const window = (answeredFirst: boolean) => {
    const blocks = busy();
    const quick = answeredFirst ? blocks.at(850, false) : undefined;
    blocks.pass(860, 1);
    while (blocks.settled(860));
    const { from, to } = quick ?? blocks.at(850, false) ?? { from: 0, to: 0 };
    return { from, to, length: to - from };
  };
  expect(window(true)).toEqual(window(false));
  // Later ones are as short as so much traffic asks.
  const blocks = busy();
  blocks.pass(860, 1);
  while (blocks.settled(860));
  const later = blocks.at(5_000, false);
  expect((later?.to ?? 0) - (later?.from ?? 0)).toBeLessThan(window(true).length);
});

it('none that waits is given up for lack of room, however long the limit for answers', () => {
  const blocks = new Blocks({ startedAt: 0, share: 0.5, lateMs: 60_000 });
  blocks.open(0);
  for (let start = 0; start < 62_000; start += 5) {
    const block = blocks.at(start, false);
    if (block) block.answered += 1;
    blocks.pass(start, 1);
    while (blocks.settled(start));
  }
  expect(blocks.at(3, false)).toMatchObject({ from: 0 });
  expect(blocks.snapshot().pending.length).toBeLessThanOrEqual(128);
});
