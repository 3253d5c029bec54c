import { expect, test } from 'vitest';
import { flowFilter } from '../../../playground/cilium/flows/filter.ts';
import { milliseconds, timestamp } from '../../../playground/cilium/flows/flow.ts';
import { createMask } from '../../../playground/cilium/flows/mask.ts';
import { type GetFlowsRequest, selectHeld } from '../../../playground/cilium/flows/observer.ts';
import { createRing, type RingEvent } from '../../../playground/cilium/flows/ring.ts';
import { filter, flow } from './flows.ts';

function request(part: Partial<GetFlowsRequest>): GetFlowsRequest {
  return {
    number: 0,
    first: false,
    follow: false,
    whitelist: [],
    blacklist: [],
    since: null,
    until: null,
    field_mask: null,
    ...part,
  };
}

const flows = [1, 2, 3, 4, 5].map((second) => flow({ uuid: String(second), time: timestamp(second * 1_000) }));
function pick(part: Partial<GetFlowsRequest>): string {
  return selectHeld(flows, request(part), flowFilter(part.whitelist ?? [], []))
    .map((each) => each.uuid)
    .join('');
}

test.each<[string, Partial<GetFlowsRequest>, string]>([
  ['everything', {}, '12345'],
  ['the last two', { number: 2 }, '45'],
  ['the first two', { number: 2, first: true }, '12'],
  ['since', { since: timestamp(3_000) }, '345'],
  ['a window', { since: timestamp(2_000), until: timestamp(3_500) }, '23'],
  ['a follow without history', { follow: true }, ''],
  ['a follow with the last one', { follow: true, number: 1 }, '5'],
  ['a follow since', { follow: true, since: timestamp(4_000) }, '45'],
  ['the last that match', { number: 1, whitelist: [filter({ uuid: ['1', '3'] })] }, '3'],
])('GetFlows gives %s', (_what, part, expected) => {
  expect(pick(part)).toBe(expected);
});

test('the ring forgets the oldest and tells followers everything', () => {
  const ring = createRing({ capacity: 3 });
  const heard: RingEvent['kind'][] = [];
  const stop = ring.follow((event) => heard.push(event.kind));
  for (const each of flows) ring.push({ kind: 'flow', flow: each });
  ring.push({ kind: 'lost', source: 'OBSERVER_EVENTS_QUEUE', count: 7, at: 0 });
  stop();
  ring.push({ kind: 'flow', flow: flow() });
  expect(heard).toEqual(['flow', 'flow', 'flow', 'flow', 'flow', 'lost']);
  expect(ring.flows().map((each) => each.uuid)).toEqual(['4', '5', 'one']);
  expect(ring.seen).toBe(6);
});

test('a field mask keeps the parts it names', () => {
  expect(createMask(['source.pod_name', 'l7.http.code'])(flow())).toEqual({
    source: { pod_name: 'backend-canary-abc-de' },
    l7: { http: { code: 500 } },
  });
  expect(createMask([])(flow())).toEqual(flow());
});

test('timestamps keep a tenth of a microsecond', () => {
  expect(timestamp(1_795_440_146_510.1174)).toEqual({ seconds: 1_795_440_146, nanos: expect.closeTo(510_117_400, -3) });
  expect(milliseconds(timestamp(1_234.5))).toBeCloseTo(1_234.5, 6);
});
