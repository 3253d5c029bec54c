import { expect, test } from 'vitest';
import { Carriers } from '../../../activities/watch/carriers.ts';
import type { Evidence } from '../../../src/domain/judge/evidence.ts';

const START = 1_000_000;

function rig(known?: readonly string[]) {
  const heard: Evidence[] = [];
  const clock = { now: START };
  const carriers = new Carriers({ hear: (event) => heard.push(event), now: () => clock.now, known });
  const gap = (node: string, lost?: number) =>
    carriers.gap({ kind: 'gap', at: clock.now, node, reason: 'gone', ...(lost !== undefined && { lost }) });
  return { heard, clock, carriers, gap, told: () => heard.map((event) => `${event.kind} ${'node' in event ? event.node : ''}`) };
}

test('a node that carries nothing of the watch blinds nobody: what is missing there is a remark', () => {
  const { heard, clock, carriers, gap } = rig();
  carriers.endpoints('web', ['node-1', 'node-2']);
  gap('node-9');
  gap('node-8', 1);
  carriers.sight('node-8', clock.now);
  expect(heard).toEqual([]);
  clock.now += 3_000;
  expect(carriers.unseen(clock.now)).toBe('node-9 (gone), 1 events of node-8: none of this traffic was seen there');
  carriers.sight('node-9', clock.now);
  expect(carriers.unseen(clock.now)).toBe('1 events of node-8: none of this traffic was seen there');
});

test('nodes of the endpoints and nodes that report requests count, by whatever name agents write them', () => {
  const { carriers, gap, told } = rig(['east/gateway-1']);
  carriers.endpoints('web', ['node-1']);
  carriers.endpoints('web-canary', ['node-2']);
  carriers.reported('east/gateway-2');
  for (const node of ['node-1', 'node-2', 'gateway-1', 'gateway-2', 'relay']) gap(node);
  expect(told()).toEqual(['gap node-1', 'gap node-2', 'gap gateway-1', 'gap gateway-2', 'gap relay']);
});

test('the set follows the pods: who moves to a node out of sight is out of sight from then on, and who leaves it is not', () => {
  const { heard, clock, carriers, gap, told } = rig();
  carriers.endpoints('web-canary', ['node-1']);
  gap('node-2');
  clock.now += 60_000;
  carriers.endpoints('web-canary', ['node-1', 'node-2']);
  expect(heard).toEqual([{ kind: 'gap', at: clock.now, node: 'node-2', reason: 'gone' }]);
  carriers.endpoints('web-canary', ['node-1']);
  expect(told()).toEqual(['gap node-2', 'sight node-2']);
  carriers.sight('node-2', clock.now);
  expect(told()).toHaveLength(2);
});

test('a node from which late records come after all carries the traffic', () => {
  const { carriers, gap, told } = rig();
  carriers.endpoints('web', ['node-1']);
  gap('node-2');
  carriers.reported('node-2');
  carriers.reported('node-2');
  expect(told()).toEqual(['gap node-2']);
});

test('a reporter of long ago is none any more, and a pod that may be anywhere is everywhere', () => {
  const { clock, carriers, gap, told } = rig();
  carriers.endpoints('web', ['node-1']);
  carriers.reported('gateway-1');
  clock.now += 600_001;
  gap('gateway-1');
  expect(told()).toEqual([]);
  carriers.endpoints('web', [undefined]);
  expect(told()).toEqual(['gap gateway-1']);
});
