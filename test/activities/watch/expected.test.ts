import { describe, expect, it } from 'vitest';
import { expecting } from '../../../activities/watch/expected.ts';
import type { Evidence } from '../../../src/domain/judge/evidence.ts';
import { createSight } from '../../../src/domain/judge/sight.ts';

/** Sight as a judge has it, with the agent of node-1 being replaced until 60 s. */
function world() {
  const sight = createSight();
  const take = (event: Evidence): void => {
    if (event.kind === 'gap') sight.gap(event.node, event);
    if (event.kind === 'sight') sight.sight(event.node);
  };
  return { sight, hear: expecting(take, () => [{ node: 'node-1', until: 60_000 }]) };
}

describe('a node whose agent the operation replaces', () => {
  it('blinds nobody while it is away, whatever its old agent had not told', () => {
    const { sight, hear } = world();
    hear({ kind: 'gap', at: 1_000, node: 'demo/node-1', reason: 'closed', lost: 40 });
    expect(sight.blind(59_000)).toBeUndefined();
    expect(sight.isHidden).toBe(true);
  });

  it('blinds like any other when it stays away for longer than that', () => {
    const { sight, hear } = world();
    hear({ kind: 'gap', at: 1_000, node: 'node-1', reason: 'closed' });
    expect(sight.blind(60_001)).toContain('node-1 cannot be seen');
    hear({ kind: 'gap', at: 61_000, node: 'node-1', reason: 'closed again', lost: 1 });
    expect(sight.blind(61_000)).toContain('1 events of node-1 were lost');
  });

  it('says nothing of other nodes', () => {
    const { sight, hear } = world();
    hear({ kind: 'gap', at: 1_000, node: 'node-2', reason: 'closed' });
    expect(sight.blind(4_000)).toContain('node-2');
  });
});
