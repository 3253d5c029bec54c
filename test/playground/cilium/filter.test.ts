import { describe, expect, test } from 'vitest';
import { type FlowFilter, flowFilter } from '../../../playground/cilium/flows/filter.ts';
import { filter, flow } from './flows.ts';

const passes = (part: Partial<FlowFilter>, event = flow()): boolean => flowFilter([filter(part)], [])(event);

describe('each field of a filter', () => {
  test.each<[string, Partial<FlowFilter>, Partial<FlowFilter>]>([
    ['pod in a namespace, by prefix', { source_pod: ['backend/backend-canary'] }, { source_pod: ['frontend/backend-canary'] }],
    ['whole namespace', { source_pod: ['backend/'] }, { source_pod: ['database/'] }],
    ['pod in any namespace', { source_pod: ['/backend-'] }, { source_pod: ['/frontend-'] }],
    ['a bare pod name means the namespace default', { source_pod: ['backend/backend-c'] }, { source_pod: ['backend-canary'] }],
    ['label with source', { source_label: ['k8s:version=v2'] }, { source_label: ['reserved:version=v2'] }],
    ['label without source', { source_label: ['app=backend,version in (v2, v3)'] }, { source_label: ['app=backend,version!=v2'] }],
    ['label existence', { destination_label: ['reserved:ingress'] }, { destination_label: ['!reserved:ingress'] }],
    ['address', { source_ip: ['10.244.2.11'] }, { source_ip: ['10.244.2.1'] }],
    ['address range', { source_ip: ['10.244.2.0/24'] }, { source_ip: ['10.244.1.0/24'] }],
    ['identity', { destination_identity: [8] }, { destination_identity: [9] }],
    [
      'event type',
      { event_type: [{ type: 129, match_sub_type: false, sub_type: 0 }] },
      { event_type: [{ type: 5, match_sub_type: false, sub_type: 0 }] },
    ],
    [
      'event sub-type',
      { event_type: [{ type: 129, match_sub_type: true, sub_type: 0 }] },
      { event_type: [{ type: 129, match_sub_type: true, sub_type: 1 }] },
    ],
    ['status code by prefix', { http_status_code: ['5+'] }, { http_status_code: ['4+', '501'] }],
    ['protocol', { protocol: ['http'] }, { protocol: ['udp'] }],
    ['reply', { reply: [true] }, { reply: [false] }],
    ['port', { source_port: ['8080'] }, { source_port: ['80'] }],
    ['direction', { traffic_direction: ['EGRESS'] }, { traffic_direction: ['INGRESS'] }],
    ['verdict', { verdict: ['DROPPED', 'FORWARDED'] }, { verdict: ['DROPPED'] }],
    ['node', { node_name: ['node-*'] }, { node_name: ['node-2'] }],
    ['workload', { source_workload: [{ name: 'backend-canary', kind: '' }] }, { source_workload: [{ name: 'backend', kind: '' }] }],
    ['encryption', { encrypted: [false] }, { encrypted: [true] }],
  ])('%s', (_what, yes, no) => {
    expect(passes(yes)).toBe(true);
    expect(passes(no)).toBe(false);
  });
});

test('fields of one filter must all match, filters of a list need not', () => {
  const both = filter({ source_pod: ['backend/'], http_status_code: ['200'] });
  const other = filter({ source_identity: [10_002] });
  expect(flowFilter([both], [])(flow())).toBe(false);
  expect(flowFilter([both, other], [])(flow())).toBe(true);
});

test('the blacklist takes away from what the whitelist lets through', () => {
  const all = filter({ source_pod: ['backend/'] });
  expect(flowFilter([all], [filter({ http_status_code: ['5+'] })])(flow())).toBe(false);
  expect(flowFilter([], [filter({ http_status_code: ['4+'] })])(flow())).toBe(true);
});

test('a pod filter never matches an end without namespace and name', () => {
  expect(passes({ destination_pod: ['/'] })).toBe(false);
});

test('what an agent refuses is refused', () => {
  expect(() => passes({ protocol: ['carrier-pigeon'] })).toThrow('unknown protocol');
  expect(() => passes({ http_status_code: ['5xx'] })).toThrow('invalid status code');
  expect(() => passes({ source_ip: ['10.244.2'] })).toThrow('invalid IP');
  expect(() => passes({ source_pod: [''] })).toThrow('must not be empty');
  const l4Only = [{ type: 4, match_sub_type: false, sub_type: 0 }];
  expect(() => passes({ http_status_code: ['500'], event_type: l4Only })).toThrow('event type');
});
