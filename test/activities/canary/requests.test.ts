import { expect, test } from 'vitest';
import { createRequestReader } from '../../../activities/canary/requests.ts';
import { readyOf, Sides } from '../../../activities/canary/sides.ts';
import type { Flow } from '../../../activities/clients/hubble/flow.ts';
import type { EndpointSlice } from '../../../activities/clients/kubernetes/objects.ts';
import { type Answer, answerFlow } from '../support/hubble.ts';

function slice(pod: string, address: string, ready?: boolean): EndpointSlice {
  const endpoint = {
    addresses: [address],
    targetRef: { kind: 'Pod', name: pod, namespace: 'backend' },
    ...(ready !== undefined && { conditions: { ready } }),
  };
  return {
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    metadata: { name: pod, namespace: 'backend', uid: pod, resourceVersion: '1' },
    endpoints: [endpoint],
  };
}

function reader() {
  const sides = new Sides();
  sides.service('backend/backend-canary', 'canary', ['10.96.0.7']);
  sides.endpoints('canary', [slice('backend-canary-1', '10.0.1.9')]);
  sides.endpoints('stable', [slice('backend-1', '10.0.2.1')]);
  const requests = createRequestReader(sides, 1_000);
  return (answer: Answer, change: Partial<Flow> = {}) => {
    const { source, ...flow } = answerFlow('node-1', answer) as Flow;
    return requests.read({ ...flow, ...(source && { source }), ...change }, 'node-1', Date.now());
  };
}

test.each<[string, Answer, object | undefined]>([
  ['a good answer of the canary', {}, { side: 'canary', failed: false, latencyMs: 4 }],
  ['a 503 of the canary', { status: 503 }, { side: 'canary', failed: true, failure: '503' }],
  ['a late answer', { latencyMs: 1_200 }, { failed: true, failure: 'late' }],
  ["a 404, which is the client's fault", { status: 404 }, { failed: false }],
  ['a 429', { status: 429 }, { failed: false }],
  ['a client that went away before there was a status', { status: 0 }, undefined],
  ['a stable pod', { pod: 'backend-1', address: '10.0.2.1' }, { side: 'stable' }],
  ["somebody else's pod", { pod: 'other', address: '10.0.3.3' }, undefined],
  ['the record of a request', { type: 'REQUEST' }, undefined],
])('%s', (_, answer, expected) => {
  const read = reader()(answer);
  if (expected === undefined) expect(read).toBeUndefined();
  else expect(read).toMatchObject(expected);
});

test('a pod is known by its address where the flow has no name, and by its name where the address is new', () => {
  const read = reader();
  expect(read({}, { source: {} })).toMatchObject({ side: 'canary' });
  expect(read({ address: '10.0.9.9' })).toMatchObject({ side: 'canary' });
});

test('an answer that never reached a pod counts against the Service whose address it carries', () => {
  expect(reader()({ status: 503, address: '10.96.0.7' }, { source: {} })).toMatchObject({ side: 'canary', failure: '503' });
});

test('a canary that is itself a client of somebody is not judged by those answers', () => {
  const flow = {
    source: { namespace: 'database', pod_name: 'database-1' },
    destination: { namespace: 'backend', pod_name: 'backend-canary-1' },
  };
  expect(reader()({ status: 500, address: '10.0.7.7' }, flow)).toBeUndefined();
});

test('two reporters of one request count once; a client that tries again counts again', () => {
  const read = reader();
  expect(read({ requestId: 'r1' })).toBeDefined();
  expect(read({ requestId: 'r1', direction: 'INGRESS' })).toBeUndefined();
  expect(read({ requestId: 'r1' })).toBeDefined();
  expect(read({ direction: 'INGRESS' })).toBeDefined();
  expect(read({})).toBeDefined();
  expect(read({ direction: 'INGRESS' })).toBeUndefined();
});

test('ready endpoints are counted once over all slices; an unknown condition is ready', () => {
  expect(readyOf([slice('a', '10.0.0.1', true), slice('a', '10.0.0.1', true), slice('b', '10.0.0.2'), slice('c', '10.0.0.3', false)])).toBe(
    2,
  );
});
