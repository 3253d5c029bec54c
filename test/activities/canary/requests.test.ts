import { describe, expect, test } from 'vitest';
import { createDropReader } from '../../../activities/canary/drops.ts';
import { createRequestReader } from '../../../activities/canary/requests.ts';
import { readyOf, Sides } from '../../../activities/canary/sides.ts';
import type { Flow } from '../../../src/clients/hubble/flow.ts';
import type { EndpointSlice } from '../../../src/clients/kubernetes/objects.ts';
import { type Answer, answerFlow, askFlow, dropFlow } from '../support/hubble.ts';

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

/** A client that is a pod, not the gateway. */
const fromPod = { destination: { namespace: 'frontend', pod_name: 'frontend-1', identity: 1_002 } };

function watched() {
  const sides = new Sides();
  sides.service('backend/backend-canary', 'canary', ['10.96.0.7']);
  sides.endpoints('canary', [slice('backend-canary-1', '10.0.1.9')]);
  sides.endpoints('stable', [slice('backend-1', '10.0.2.1')]);
  return { sides, requests: createRequestReader({ sides, latencyLimitMs: 1_000 }) };
}

function reader() {
  const { requests } = watched();
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
  ["somebody else's pod with the address that a pod of the canary had", { pod: 'other', address: '10.0.1.9', status: 500 }, undefined],
  ["somebody else's pod", { pod: 'other', address: '10.0.3.3' }, undefined],
  ['the record of a request', { type: 'REQUEST' }, undefined],
])('%s', (_, answer, expected) => {
  const read = reader()(answer);
  if (expected === undefined) expect(read).toBeUndefined();
  else expect(read).toMatchObject(expected);
});

test('of gRPC answers only those that are late are read here; the others have their status in counters', () => {
  const { sides } = watched();
  const requests = createRequestReader({ sides, latencyLimitMs: 1_000, grpc: true });
  const answered = (answer: Answer) => {
    const flow = answerFlow('node-1', answer) as Flow;
    const http = { ...flow.l7?.http, protocol: 'HTTP/2' };
    return requests.read({ ...flow, l7: { ...flow.l7, http } }, 'node-1', Date.now());
  };
  expect(answered({ latencyMs: 900 })).toBeUndefined();
  expect(answered({ latencyMs: 1_200 })).toMatchObject({ side: 'canary', failed: true, failure: 'late' });
  expect(answered({ status: 500 })).toMatchObject({ failed: true, failure: '500' });
});

test('a pod is known by its address where the flow has no name, and by its name where the address is new', () => {
  const read = reader();
  expect(read({}, { source: {} })).toMatchObject({ side: 'canary' });
  expect(read({ address: '10.0.9.9' })).toMatchObject({ side: 'canary' });
});

test('an answer that never reached a pod counts against the Service whose address it carries', () => {
  expect(reader()({ status: 503, address: '10.96.0.7' }, { source: {} })).toMatchObject({ side: 'canary', failure: '503' });
});

test('an error that no pod answered and no Service of ours carries is trouble, which says of nobody that it failed', () => {
  const read = reader();
  const nobody = { source: { identity: 2, labels: ['reserved:world'] } };
  expect(read({ pod: '', address: '10.96.0.99', status: 503 }, nobody)).toMatchObject({
    kind: 'trouble',
    words: '503 of 10.96.0.99, from no pod',
  });
  expect(read({ pod: '', address: '10.96.0.99', status: 404 }, nobody)).toBeUndefined();
  const asked = { ...nobody, destination: { namespace: 'backend', pod_name: 'backend-canary-1', identity: 1_001 } };
  expect(read({ pod: '', address: '93.184.216.34', status: 503 }, asked)).toBeUndefined();
});

test('a failure says by whose request id it can be told from its own repetitions; a pod that asks is no client', () => {
  const read = reader();
  expect(read({ status: 503, requestId: 'r-1' }, fromPod)).toMatchObject({ failed: true, client: 'r-1' });
  expect(read({ status: 200, requestId: 'r-2' }, fromPod)).not.toHaveProperty('client');
  expect(read({ status: 503 }, fromPod)).not.toHaveProperty('client');
});

test('a canary that is itself a client of somebody is not judged by those answers', () => {
  const flow = {
    source: { namespace: 'database', pod_name: 'database-1' },
    destination: { namespace: 'backend', pod_name: 'backend-canary-1' },
  };
  expect(reader()({ status: 500, address: '10.0.7.7' }, flow)).toBeUndefined();
});

test('two reporters of one request count once, whoever comes first; a client that tries again counts again', () => {
  const read = reader();
  expect(read({ requestId: 'r1', direction: 'INGRESS' }, fromPod)).toBeDefined();
  expect(read({ requestId: 'r1' }, fromPod)).toBeUndefined();
  expect(read({ requestId: 'r2' })).toBeDefined();
  expect(read({ requestId: 'r2', direction: 'INGRESS' })).toBeUndefined();
  expect(read({ requestId: 'r2' })).toBeDefined();
});

test("once the gateway reports for a pod, the pod's own reports of gateway traffic never count; those of other clients do", () => {
  const read = reader();
  expect(read({ requestId: 'r1' })).toBeDefined();
  // The pod's report of the next request comes before the gateway's, and says less: the gateway gave up on it.
  expect(read({ requestId: 'r2', direction: 'INGRESS' })).toBeUndefined();
  expect(read({ requestId: 'r2', status: 504 })).toMatchObject({ failed: true, failure: '504' });
  expect(read({ requestId: 'r3', direction: 'INGRESS' }, fromPod)).toBeDefined();
});

test('a request without an answer within the limit is a failure, told once, and its late answer is not a second one', () => {
  const { requests } = watched();
  const ask = (requestId: string, at: number) => requests.read(askFlow('node-1', { requestId, at }) as Flow, 'node-1', at);
  const answer = (requestId: string, at: number) => requests.read(answerFlow('node-1', { requestId, at }) as Flow, 'node-1', at);
  ask('hangs', 10_000);
  ask('answered', 10_000);
  expect(answer('answered', 10_500)).toMatchObject({ failed: false });
  expect(requests.overdue(11_100)).toEqual([]);
  // Newer records of the same node prove that the answer is not merely under way.
  ask('newer', 11_500);
  expect(requests.overdue(11_550)).toMatchObject([{ side: 'canary', failed: true, failure: 'no response', at: 11_000 }]);
  expect(requests.overdue(11_600)).toEqual([]);
  expect(answer('hangs', 11_700)).toBeUndefined();
});

test('a request that is heard of after its answer is not waited for; one that is made again afterwards is', () => {
  const { requests } = watched();
  const ask = (requestId: string, at: number) => requests.read(askFlow('node-1', { requestId, at }) as Flow, 'node-1', at);
  const answer = (requestId: string, at: number) => requests.read(answerFlow('node-1', { requestId, at }) as Flow, 'node-1', at);
  expect(answer('swapped', 10_002)).toMatchObject({ failed: false });
  expect(ask('swapped', 10_000)).toBeUndefined();
  ask('newer', 13_000);
  expect(requests.overdue(13_000)).toEqual([]);
  ask('swapped', 13_000);
  ask('newest', 15_000);
  expect(requests.overdue(15_000)).toHaveLength(2);
});

test('what came through the split is compared; a caller of the mesh, another rule, and whatever nobody can tell are not', () => {
  const { sides } = watched();
  const split = { isMoved: ({ path }: { readonly path?: string }) => path === '/' };
  const reading = (options: object) => createRequestReader({ sides, latencyLimitMs: 1_000, ...options });
  const flow = answerFlow('node-1') as Flow;
  const at = (url: string): Flow => ({ ...flow, l7: { ...flow.l7, http: { ...flow.l7?.http, url } } });
  const read = (one: Flow, options: object = { split }) => reading(options).read(one, 'node-1', 1);
  expect(read(at('http://backend/'))).not.toHaveProperty('unsplit');
  expect(read(at('http://backend/static'))).toMatchObject({ unsplit: true });
  expect(read({ ...at('http://backend/'), ...fromPod })).toMatchObject({ unsplit: true });
  expect(read(at('http://backend/'), {})).toMatchObject({ unsplit: true });
});

test('an answer says when its request began, and how long the oldest that is open has been so', () => {
  const { requests } = watched();
  const ask = (requestId: string, at: number, pod = 'backend-canary-1') =>
    requests.read(askFlow('node-1', { requestId, at, pod }) as Flow, 'node-1', at);
  expect(ask('slow', 10_000)).toEqual({ kind: 'asked', at: 10_000, seenAt: 10_000 });
  expect(ask('of-stable', 10_050, 'backend-1')).toBeUndefined();
  ask('quick', 10_100);
  const answer = (requestId: string, at: number) => requests.read(answerFlow('node-1', { requestId, at }) as Flow, 'node-1', at);
  expect(answer('quick', 10_105)).toMatchObject({ startedAt: 10_100, asked: true, openMs: 105 });
  expect(answer('slow', 10_700)).toMatchObject({ startedAt: 10_000, openMs: 650 });
  expect(requests.read(answerFlow('node-1', { at: 10_800 }) as Flow, 'node-1', 1)).not.toHaveProperty('openMs');
});

test('what a pod serves in its first half minute is cold', () => {
  const { sides } = watched();
  sides.endpoints('stable', [slice('backend-2', '10.0.2.2')], 50_000);
  const requests = createRequestReader({ sides, latencyLimitMs: 1_000 });
  const read = (pod: string, at: number) => requests.read(answerFlow('node-1', { pod, address: '', at }) as Flow, 'node-1', at);
  expect(read('backend-2', 60_000)).toMatchObject({ side: 'stable', cold: true });
  expect(read('backend-2', 81_000)).not.toHaveProperty('cold');
  expect(read('backend-1', 60_000)).not.toHaveProperty('cold');
});

test('no answer is claimed to be missing while records are late or lost', () => {
  const { requests } = watched();
  requests.read(askFlow('node-1', { requestId: 'before', at: 10_000 }) as Flow, 'node-1', 10_000);
  requests.lost('node-1');
  requests.read(askFlow('node-1', { requestId: 'during', at: 10_100 }) as Flow, 'node-1', 10_100);
  expect(requests.overdue(20_000)).toEqual([]);
  requests.seen('node-1');
  requests.read(askFlow('node-1', { requestId: 'after', at: 20_000 }) as Flow, 'node-1', 20_000);
  expect(requests.overdue(23_100)).toHaveLength(1);
});

test("our own probe is nobody's traffic", () => {
  const { requests } = watched();
  const flow = answerFlow('node-1', { requestId: 'p', status: 500 }) as Flow;
  const http = { ...flow.l7?.http, headers: [{ key: 'X-Meshops-Probe', value: 'x' }] };
  expect(requests.read({ ...flow, l7: { ...flow.l7, http } }, 'node-1', 1)).toBeUndefined();
});

const scraper = { source: { namespace: 'monitoring', pod_name: 'prometheus-0', identity: 3_001 } };

test('a drop that is no request is told once per pair, port and reason in ten seconds', () => {
  const { sides } = watched();
  const drops = createDropReader(sides);
  const drop = (options: Parameters<typeof dropFlow>[1]) => drops.read({ ...(dropFlow('node-1', options) as Flow), ...scraper }, 0);
  expect(drop({ at: 20_000 })).toMatchObject({
    side: 'canary',
    source: 'monitoring/prometheus-0',
    destination: 'backend/backend-canary-1',
    port: 8080,
    reason: 'POLICY_DENIED',
  });
  expect(drop({ at: 20_000 })).toBeUndefined();
  expect(drop({ at: 29_000 })).toBeUndefined();
  expect(drop({ at: 29_000, port: 9090 })).toBeDefined();
  expect(drop({ at: 29_000, reason: 'POLICY_DENY' })).toBeDefined();
  expect(drop({ at: 30_000 })).not.toHaveProperty('connection');
});

test('a drop is heard by the verdict before it, since an agent keeps its newest event back until the next one; not twice', () => {
  const { sides } = watched();
  const drop = dropFlow('node-1', { at: 20_000.02 }) as Flow;
  const verdict = { ...(dropFlow('node-1', { at: 20_000 }) as Flow), event_type: { type: 5 } };
  const drops = createDropReader(sides);
  expect(drops.read({ ...verdict, ...scraper }, 0)).toMatchObject({ side: 'canary', reason: 'POLICY_DENIED' });
  expect(drops.read({ ...drop, ...scraper }, 0)).toBeUndefined();
  expect(createDropReader(sides).read({ ...verdict, ...scraper, verdict: 'FORWARDED' }, 0)).toBeUndefined();
  const ofGateway = createDropReader(sides, 500);
  expect(ofGateway.read(verdict, 0)).toMatchObject({ connection: true });
  expect(ofGateway.read(drop, 0)).toBeUndefined();
});

describe('a connection of the gateway to a pod', () => {
  const way = (limitMs: number) => {
    const { sides } = watched();
    const drops = createDropReader(sides, limitMs);
    return { drops, drop: (options: Parameters<typeof dropFlow>[1]) => drops.read(dropFlow('node-1', options) as Flow, 0) };
  };

  test('is a failed request, once, as soon as its SYN that was dropped cannot be answered within the limit any more', () => {
    const { drop } = way(1_000);
    expect(drop({ at: 20_000 })).toMatchObject({ side: 'canary', connection: true, source: 'ingress', port: 8080 });
    expect(drop({ at: 21_000 })).toBeUndefined();
    expect(drop({ at: 21_100, from: 41_001 })).toMatchObject({ connection: true });
    const patient = way(4_000);
    expect([0, 1_000, 3_000, 7_000].map((ms) => patient.drop({ at: 20_000 + ms })?.kind)).toEqual([
      undefined,
      undefined,
      'drop',
      undefined,
    ]);
    // Its request began with the first of them.
    expect([0, 1_000, 3_000].map((ms) => patient.drop({ at: 30_000 + ms, from: 41_002 })).at(-1)).toMatchObject({
      at: 33_000,
      startedAt: 30_000,
    });
  });

  test('that had come up is lost only when what is sent again, ever later, is too late', () => {
    const { drop } = way(1_000);
    expect([0, 200, 600, 1_400].map((ms) => drop({ at: 20_000 + ms, flag: 'ACK' })?.kind)).toEqual([
      undefined,
      undefined,
      'drop',
      undefined,
    ]);
  });

  test('counts in the direction of its answers too, and not at a port that no request comes to', () => {
    const { sides } = watched();
    const reader = createDropReader(sides, 1_000);
    const { source, destination, IP, l4, ...flow } = dropFlow('node-1') as Flow;
    const back = { ...flow, source: destination, destination: source, IP: { source: IP?.destination, destination: IP?.source } } as Flow;
    const answer = { ...back, l4: { TCP: { source_port: 8080, destination_port: 41_000, flags: { SYN: true, ACK: true } } } } as Flow;
    // What is answered began before, by as much as an answer may take.
    expect(reader.read(answer, 20_000)).toMatchObject({ side: 'canary', connection: true });
    const told = createDropReader(sides, 1_000).read(answer, 0);
    expect(told?.startedAt).toBe((told?.at ?? 0) - 1_000);
    expect(reader.read({ ...flow, source, destination, IP, l4 } as Flow, 0)).toBeUndefined();
    const named = new Sides();
    named.endpoints('canary', [{ ...slice('backend-canary-1', '10.0.1.9'), ports: [{ port: 8080 }] }]);
    expect(createDropReader(named, 1_000).read(dropFlow('node-1', { port: 9_100 }) as Flow, 0)).not.toHaveProperty('connection');
  });

  test('is told again neither by the error of the gateway that follows, nor for ever', () => {
    const { drop, drops } = way(1_000);
    drop({ at: 20_000 });
    expect(drops.take('stable', 25_000)).toBe(false);
    expect([drops.take('canary', 25_000), drops.take('canary', 25_000)]).toEqual([true, false]);
    drop({ at: 50_000, from: 41_002 });
    expect(drops.take('canary', 61_000)).toBe(false);
  });
});

test('ready endpoints are counted once over all slices; an unknown condition is ready', () => {
  expect(readyOf([slice('a', '10.0.0.1', true), slice('a', '10.0.0.1', true), slice('b', '10.0.0.2'), slice('c', '10.0.0.3', false)])).toBe(
    2,
  );
});

test('probes of the own operation count for the side they reach, marked; those of others and of a proof of sight never do', () => {
  const { sides } = watched();
  const requests = createRequestReader({ sides, latencyLimitMs: 1_000, probesOf: 'canary-k3f2' });
  const probe = (id: string, answer: Answer = {}): ReturnType<typeof requests.read> => {
    const flow = answerFlow('node-1', answer);
    const headers = [{ key: 'X-Meshops-Probe', value: id }];
    const http = { ...flow.l7?.http, headers };
    return requests.read({ ...flow, l7: { ...flow.l7, http } } as Flow, 'node-1', Date.now());
  };
  expect(probe('canary-k3f2/1')).toMatchObject({ side: 'canary', failed: false, synthetic: true });
  expect(probe('canary-k3f2/2', { status: 503, pod: 'backend-1' })).toMatchObject({ side: 'stable', failed: true, synthetic: true });
  expect(probe('canary-k3f22/3')).toBeUndefined();
  expect(probe('0b5e9a40-1111-4222-8333-444455556666')).toBeUndefined();
  expect(requests.read(answerFlow('node-1'), 'node-1', Date.now())).not.toHaveProperty('synthetic');
});

test('a probe that is never answered is a failure, marked too', () => {
  const { sides } = watched();
  const requests = createRequestReader({ sides, latencyLimitMs: 1_000, probesOf: 'canary-k3f2' });
  const at = Date.now();
  const flow = askFlow('node-1', { at, requestId: 'r-1' });
  const headers = [...(flow.l7?.http?.headers ?? []), { key: 'X-Meshops-Probe', value: 'canary-k3f2/1' }];
  requests.read({ ...flow, l7: { ...flow.l7, http: { ...flow.l7?.http, headers } } } as Flow, 'node-1', at);
  expect(requests.overdue(at + 3_500)).toMatchObject([{ side: 'canary', failed: true, failure: 'no response', synthetic: true }]);
});
