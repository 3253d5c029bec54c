import { describe, expect, it } from 'vitest';
import { checkAlone } from '../../../activities/planning/alone.ts';
import { covers } from '../../../src/domain/lifecycle/freeze.ts';
import { EVERYWHERE, formatTarget, type Target, targetOf, workflowIdOf } from '../../../src/domain/target.ts';

const BACKEND: Target = { cluster: 'demo', namespace: 'shop', name: 'backend' };
const ELSEWHERE: Target = { cluster: 'other', namespace: 'shop', name: 'backend' };
const WHOLE: Target = { cluster: 'demo', ...EVERYWHERE };

function world(...targets: readonly Target[]) {
  return {
    running: async (target: Target) => targets.find((one) => workflowIdOf(one) === workflowIdOf(target)),
    listRunning: async () => targets.map((target) => ({ workflowId: workflowIdOf(target) })),
  };
}

describe('an operation that holds a whole cluster', () => {
  it('lets nothing else start there, and nothing of another cluster wait', async () => {
    const refusal = await checkAlone(world(WHOLE), { target: BACKEND });
    expect(refusal).toMatchObject({ code: 'ClusterHeld' });
    expect(refusal?.words).toContain('An operation changes the whole cluster demo');
    expect(await checkAlone(world(WHOLE), { target: ELSEWHERE })).toBeUndefined();
  });

  it('does not start beside one that runs, and names it', async () => {
    const refusal = await checkAlone(world(WHOLE, BACKEND, ELSEWHERE), { target: WHOLE });
    expect(refusal).toMatchObject({ code: 'ClusterBusy' });
    expect(refusal?.words).toContain('other operations: demo/shop/backend. Nothing was changed.');
  });

  it('starts where nothing else of its cluster runs', async () => {
    expect(await checkAlone(world(WHOLE, ELSEWHERE), { target: WHOLE })).toBeUndefined();
    expect(await checkAlone(world(BACKEND), { target: BACKEND })).toBeUndefined();
  });

  it('is written as its cluster, and is its own lock', () => {
    expect(formatTarget(WHOLE)).toBe('demo');
    expect(targetOf({ workflowId: workflowIdOf(WHOLE) })).toEqual(WHOLE);
  });

  it('is stopped by a freeze of any part of its cluster', () => {
    expect(['*', 'demo', 'demo/shop', 'demo/shop/backend'].filter((scope) => !covers(scope, WHOLE))).toEqual([]);
    expect(['other', 'other/shop'].filter((scope) => covers(scope, WHOLE))).toEqual([]);
    expect(covers('demo/shop/web', BACKEND)).toBe(false);
  });
});
