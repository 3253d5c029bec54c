import { beforeAll, expect, it } from 'vitest';
import type { OperationView } from '../../src/domain/lifecycle/operation.ts';
import { workflowBundle } from '../support/bundle.ts';
import { decisionOn, FakeMesh, fakes, healthy, request, reviewer, watched } from '../support/operations.ts';
import { type FakeActivity, type Reply, Simulator } from '../support/simulator.ts';

beforeAll(async () => void (await workflowBundle()), 180_000);

it('a late live edit of another worker that takes the buttons away is written over: the question stands again within seconds', async () => {
  const mesh = new FakeMesh();
  let message: Pick<OperationView, 'gate' | 'phase'> | undefined;
  const announce = ((input: { readonly view: OperationView }): Reply => {
    message = input.view;
    return { value: { channelId: 'C0MESH', ts: '1.1' } };
  }) as FakeActivity;
  const asked = request();
  const simulator = await Simulator.start('canary', asked, { ...fakes(mesh, [10], (input) => watched(mesh, input, healthy)), announce });
  await simulator.update('begin', asked);
  await simulator.advance(3_000);
  expect(message?.gate?.kind).toBe('approval');
  // An edit with live numbers that was under way elsewhere when the question was asked: it knows of none.
  for (const waitMs of [6_000, 31_000]) {
    message = { phase: 'watching' };
    await simulator.advance(waitMs);
    expect(message).toMatchObject({ gate: { kind: 'approval' } });
  }
  await simulator.update('decide', await decisionOn(simulator, reviewer, 'approve'));
  await simulator.run();
  expect(simulator.result).toMatchObject({ kind: 'completed' });
});
