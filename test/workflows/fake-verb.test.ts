import { fileURLToPath } from 'node:url';
import { bundleWorkflowCode } from '@temporalio/worker';
import { beforeAll, describe, expect, it, vi } from 'vitest';
import type { PlanInput } from '../../src/domain/lifecycle/contract.ts';
import type { Plan } from '../../src/domain/lifecycle/plan.ts';
import { workflowBundle } from '../support/bundle.ts';
import { decisionOn, FakeMesh, fakes, harmful, healthy, request, reviewer, type Watching, watched } from '../support/operations.ts';
import { type FakeActivity, Simulator } from '../support/simulator.ts';

vi.mock('../support/bundle.ts', () => {
  const silent = { log() {}, trace() {}, debug() {}, info() {}, warn() {}, error() {} };
  const workflowsPath = fileURLToPath(new URL('../support/fake-workflows.ts', import.meta.url));
  const bundle = bundleWorkflowCode({ workflowsPath, logger: silent });
  return { workflowBundle: () => bundle };
});

beforeAll(async () => void (await workflowBundle()), 180_000);

const FREEZE = { scope: '*', reason: 'release weekend', by: { id: 'r', name: 'Reviewer' }, setAt: 0, until: Date.UTC(2027, 0, 1) };

/** The steps of the fake verb, and nobody else's. */
function stepsOf(mesh: FakeMesh, watching: Watching, more: Record<string, FakeActivity> = {}): Record<string, FakeActivity> {
  const plan: FakeActivity = (input) => {
    const plan: Plan = { ...mesh.plan(input as PlanInput, [10]), verb: 'fake' };
    return { value: { kind: 'plan', plan } };
  };
  const renamed = Object.entries(fakes(mesh, [10], watching)).map(([name, fake]) => [name.replace('canary.', 'fake.'), fake] as const);
  return { ...Object.fromEntries(renamed), 'fake.plan': plan, ...more };
}

async function begun(kind: string, mesh: FakeMesh, watching: Watching, more?: Record<string, FakeActivity>) {
  const asked = request({ verb: 'fake', change: { kind }, text: 'fake backend' });
  const simulator = await Simulator.start('fake', asked, stepsOf(mesh, watching, more));
  await simulator.update('begin', asked);
  await simulator.advance(1_000);
  return { simulator, asked };
}

const approve = async (simulator: Simulator) => simulator.update('decide', await decisionOn(simulator, reviewer, 'approve'));
function always(mesh: FakeMesh): Watching {
  return (input) => watched(mesh, input, healthy);
}

describe('the lifecycle of a verb that is neither canary nor policy', () => {
  it('plans, asks, writes, watches and completes by its own steps', async () => {
    const mesh = new FakeMesh();
    const { simulator } = await begun('on', mesh, always(mesh));
    await approve(simulator);
    await simulator.run();
    expect(simulator.result).toMatchObject({ kind: 'completed' });
    expect(simulator.calls.map(({ activity }) => activity).filter((name) => /^(canary|policy)\./.test(name))).toEqual([]);
  });

  it('goes back by its own fuse when it does harm', async () => {
    const mesh = new FakeMesh();
    const { simulator } = await begun('on', mesh, (input) => watched(mesh, input, harmful));
    await approve(simulator);
    await simulator.run();
    expect(simulator.result).toMatchObject({ kind: 'rolled-back', restoredExactly: true });
    expect(mesh.percent).toBe(0);
  });

  it('is refused by a freeze, unless its record says that it only takes something back', async () => {
    const frozen: Record<string, FakeActivity> = { frozen: () => ({ value: FREEZE }) };
    const mesh = new FakeMesh();
    const on = await begun('on', mesh, always(mesh), frozen);
    await on.simulator.run();
    expect(on.simulator.result).toMatchObject({ kind: 'impossible', code: 'Frozen' });
    const off = await begun('off', mesh, always(mesh), frozen);
    await approve(off.simulator);
    await off.simulator.run();
    expect(off.simulator.result).toMatchObject({ kind: 'completed' });
  });

  it('takes as its next step what its record lets it, and nothing else', async () => {
    const mesh = new FakeMesh();
    const { simulator, asked } = await begun('on', mesh, (input) =>
      input.purpose === 'after' ? { never: true } : watched(mesh, input, healthy),
    );
    await approve(simulator);
    await simulator.advance(120_000);
    const next = (kind: string) =>
      simulator.update('begin', { ...asked, requestId: kind, change: { kind }, validUntil: simulator.now + 60_000 });
    await expect(next('on')).rejects.toMatchObject({ name: 'Busy' });
    expect(await next('more')).toMatchObject({ continued: true });
  });
});
