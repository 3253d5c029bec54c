import { expect, it } from 'vitest';
import type { Verdict } from '../../src/domain/judge/verdict.ts';
import type { ApplyInput, WatchInput } from '../../src/domain/lifecycle/contract.ts';
import type { OperationView, Outcome } from '../../src/domain/lifecycle/operation.ts';
import { attending, counts, decisionOn, FakeMesh, fakes, healthy, request, reviewer, settings, watched } from '../support/operations.ts';
import { Simulator } from '../support/simulator.ts';

const KEY = 'HTTPRoute/backend/backend';
const WEIGHT = '/spec/rules/0/backendRefs/1/weight';
const freeze = { scope: 'demo', reason: 'release weekend', by: { id: 'r', name: 'Reviewer' }, setAt: 0, until: Date.UTC(2026, 0, 2) };
const drift: Verdict = {
  kind: 'drift',
  counts: counts(40, 0),
  object: KEY,
  field: WEIGHT,
  manager: 'kubectl-edit',
  words: 'kubectl-edit changed it.',
};

/** 10% is in force, and somebody has set what `world` says. */
async function drifted(percent: number) {
  const mesh = new FakeMesh();
  const world: { foreign: number | undefined; frozen: boolean } = { foreign: percent, frozen: false };
  const activities = fakes(mesh, [10], (input: WatchInput) =>
    world.foreign !== undefined && !input.drifted ? watched(mesh, input, drift) : watched(mesh, input, healthy),
  );
  const apply = activities['canary.apply'];
  Object.assign(activities, {
    'canary.plan': (input: never, context: never) => {
      const reply = fakes(mesh, [10], () => ({ never: true }))['canary.plan']?.(input, context) as {
        value: { plan: { originals: object[] } };
      };
      const { plan } = reply.value;
      return { value: { ...reply.value, plan: { ...plan, originals: plan.originals.map((one) => ({ ...one, own: [WEIGHT] })) } } };
    },
    'canary.apply': (input: ApplyInput, context: never) => {
      if (input.stage.number > 1) world.foreign = undefined;
      return apply?.(input as never, context);
    },
    frozen: () => ({ value: world.frozen ? freeze : null }),
    attend: attending(() => (world.frozen ? freeze : null)),
    inspect: (input: { stage: ApplyInput['stage'] }) => {
      const { object, after: expected = {} } = input.stage.writes[0] ?? {};
      const found = {
        [KEY]: { object, uid: 'uid-1', expected, fields: { ...expected, [WEIGHT]: world.foreign ?? 10 }, token: mesh.token, generation: 6 },
      };
      const difference = { object: KEY, field: WEIGHT, expected: '10', found: String(world.foreign), manager: 'kubectl-edit' };
      return { value: { differences: world.foreign === undefined ? [] : [difference], found } };
    },
  });
  const asked = request({ settings: settings() });
  const simulator = await Simulator.start('canary', asked, activities);
  await simulator.update('begin', asked);
  await simulator.advance(1_000);
  await simulator.update('decide', await decisionOn(simulator, reviewer, 'approve'));
  await simulator.advance(5_000);
  const view = async (): Promise<OperationView> => (await simulator.query('describe')) as OperationView;
  expect(await view()).toMatchObject({ gate: { kind: 'drift' }, drift: [{ found: String(percent) }] });
  return { mesh, world, simulator, view };
}

it('what is adopted is what was shown: anything else is asked about anew', async () => {
  const { world, simulator, view } = await drifted(30);
  world.foreign = 60;
  await simulator.update('decide', await decisionOn(simulator, reviewer, 'adopt'));
  await simulator.advance(1_000);
  expect(await view()).toMatchObject({ gate: { kind: 'drift', gateId: 'g3' }, drift: [{ found: '60' }] });
});

it('what was changed back meanwhile needs nothing', async () => {
  const { mesh, world, simulator } = await drifted(30);
  world.foreign = undefined;
  await simulator.update('decide', await decisionOn(simulator, reviewer, 'restore'));
  await simulator.run();
  expect((simulator.result as Outcome).kind).toBe('completed');
  expect(mesh.applied).toEqual(['10%']);
});

it.each([
  ['more than there is waits for a freeze', 3, true],
  ['less than there is does not', 30, false],
])('to write %s', async (_, percent, waits) => {
  const { mesh, world, simulator, view } = await drifted(percent);
  world.frozen = true;
  await simulator.update('decide', await decisionOn(simulator, reviewer, 'restore'));
  await simulator.advance(2_000);
  expect(mesh.applied).toEqual(waits ? ['10%'] : ['10%', '10%']);
  expect((await view()).frozen !== undefined).toBe(waits);
  world.frozen = false;
  await simulator.wake('attend');
  await simulator.run();
  expect((simulator.result as Outcome).kind).toBe('completed');
  expect(mesh.applied).toEqual(['10%', '10%']);
});
