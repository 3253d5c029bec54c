import { describe, expect, it } from 'vitest';
import type { PlanDeps } from '../../../activities/policy/deps.ts';
import { dryRunForPlan } from '../../../activities/policy/plan-dry-run.ts';
import type { Rollout } from '../../../activities/policy/rollout.ts';
import type { PlanInput } from '../../../src/domain/lifecycle/contract.ts';
import { readCandidate } from '../../../src/reading/policy/sources/read-candidate.ts';
import { BACKEND, DATABASE } from '../../domain/policy/dryrun/lines.ts';
import { flowsOf, GOOD } from '../../slack/policy/played.ts';
import { request } from '../../support/operations.ts';

/** A worker that reads rings of one connection that the candidate would drop; `asked`: how often they were read. */
function worker(rings?: PlanDeps['rings']) {
  let asked = 0;
  const now = { at: 1_000_000 };
  const flows = flowsOf({ from: DATABASE, to: BACKEND, port: 9090 });
  const read: PlanDeps['rings'] = async () => {
    asked += 1;
    return { flows, lost: 0, reachesTo: 0, nodes: 3, gaps: [], cut: false };
  };
  const deps = { cluster: {}, rings: rings ?? read, now: () => now.at } as unknown as PlanDeps;
  const plan = async (text: string, rest: { readonly withoutDryRun?: true; readonly dryRun?: readonly string[] } = {}) => {
    const candidate = readCandidate(text, 'a file', 'backend');
    if (candidate.kind !== 'candidate') throw new Error('the candidate cannot be read');
    const change = { kind: 'enforce', candidate: candidate.candidate, ...rest } as const;
    const rollout = { change, candidate: candidate.candidate, isNamespace: false } as unknown as Rollout;
    const parts = { world: { documents: [], compile: { services: [] }, config: {} }, workload: { all: [] } } as never;
    return dryRunForPlan(deps, { request: request({ change }) } as unknown as PlanInput, rollout, parts, AbortSignal.timeout(5_000));
  };
  return { plan, now, asked: () => asked };
}

describe('the plan of a policy', () => {
  it('waits for a dry-run of exactly its file, and says first what would be dropped', async () => {
    const { plan } = worker();
    expect(await plan(GOOD)).toMatchObject({
      kind: 'words',
      words: [expect.stringContaining('1 of 1 connection that were seen would be dropped'), expect.any(String)],
    });
  });

  it('takes what was found for the same file some minutes ago, and for no other file', async () => {
    const { plan, now, asked } = worker();
    const first = await plan(GOOD);
    now.at += 9 * 60_000;
    expect(await plan(GOOD)).toEqual(first);
    expect(asked()).toBe(1);
    await plan(GOOD.replace('8080', '9090'));
    expect(asked()).toBe(2);
    now.at += 2 * 60_000;
    await plan(GOOD);
    expect(asked()).toBe(3);
  });

  it.each<[string, PlanDeps['rings']]>([
    ['Hubble does not answer', () => Promise.reject(new Error('no agent answered'))],
    ['no node of it is known', async () => ({ flows: [], lost: 0, reachesTo: undefined, nodes: 0, gaps: [], cut: false })],
  ])('is refused where %s: nobody approves what nobody has tried', async (_, rings) => {
    expect(await worker(rings).plan(GOOD)).toMatchObject({ kind: 'refused', refusal: { code: 'NoDryRun' } });
  });

  it('is made without one where the command says so, and says that', async () => {
    const { plan, asked } = worker(() => Promise.reject(new Error('no agent answered')));
    expect(await plan(GOOD, { withoutDryRun: true })).toMatchObject({ words: [expect.stringMatching(/^Not dry-run, as asked by/)] });
    expect(asked()).toBe(0);
  });

  it('shows what a dry-run in the channel has found for the same file', async () => {
    const { plan, asked } = worker();
    expect(await plan(GOOD, { dryRun: ['Dry-run: none of 12.'] })).toEqual({ kind: 'words', words: ['Dry-run: none of 12.'] });
    expect(asked()).toBe(0);
  });
});
