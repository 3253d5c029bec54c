import { expect, test } from 'vitest';
import { type CountedServices, followCounters } from '../../../activities/canary/counters.ts';
import { createUnshown } from '../../../activities/canary/unshown.ts';
import { PrometheusFailure, type Sample } from '../../../activities/clients/prometheus/prometheus.ts';
import { SILENT } from '../../../activities/log.ts';
import type { Evidence } from '../../../src/domain/evidence.ts';

const services = [
  ['backend-canary', 'canary'],
  ['backend', 'stable'],
] as const;

function sample(name: string, service: string, value: number): Sample {
  const labels = {
    __name__: name,
    envoy_cluster_name: `backend/cilium-gateway-mesh/backend_${service}_8080`,
    instance: 'one',
    job: 'envoy',
  };
  return { labels, at: 5, value };
}

/** Looks as often as there are answers; an answer that is missing is a Prometheus that is away. */
async function watched(answers: readonly (readonly Sample[] | undefined)[], counted: Partial<CountedServices> = {}) {
  const heard: Evidence[] = [];
  const queries: string[] = [];
  const stop = new AbortController();
  const left = [...answers];
  const instant = async (query: string): Promise<readonly Sample[]> => {
    queries.push(query);
    const answer = left.shift();
    if (left.length === 0) stop.abort();
    if (!answer) throw new PrometheusFailure('away');
    return answer;
  };
  const prometheus = { instant, range: async () => [] };
  const hear = (event: Evidence): void => void heard.push(event);
  await followCounters(
    { prometheus, now: () => 9, log: SILENT },
    { namespace: 'backend', services, grpc: false, shown: () => 0, isTold: () => false, isWhole: true, ...counted },
    hear,
    stop.signal,
  );
  return { heard, queries };
}

const EJECTED = 'envoy_cluster_upstream_rq_pending_failure_eject';
const NONE = 'envoy_cluster_upstream_cx_none_healthy';

test('requests that reach no pod count against the Service that Envoy chose for them', async () => {
  const { heard } = await watched([
    [sample(EJECTED, 'backend-canary', 7), sample(NONE, 'backend', 1)],
    [sample(EJECTED, 'backend-canary', 9), sample(NONE, 'backend', 2)],
  ]);
  expect(heard).toMatchObject([
    { side: 'canary', failed: true, failure: 'connect failure' },
    { side: 'canary', failed: true, failure: 'connect failure' },
    { side: 'stable', failed: true, failure: 'no endpoint' },
  ]);
  expect(new Set(heard.map((event) => 'id' in event && event.id)).size).toBe(3);
});

test('a request that was told as a dropped connection is not told again, and none of these is compared', async () => {
  let told = 1;
  const isTold = (): boolean => told-- > 0;
  const looks = [[sample(EJECTED, 'backend-canary', 7)], [sample(EJECTED, 'backend-canary', 9)]];
  const { heard } = await watched(looks, { isTold });
  expect(heard).toMatchObject([{ side: 'canary', failed: true, unsplit: true }]);
});

test('gRPC answers are compared where all that the Services get was split', async () => {
  const looks = [0, 1].map((more) => [sample('envoy_cluster_grpc_0', 'backend-canary', 1 + more)]);
  expect((await watched(looks, { grpc: true })).heard[0]).not.toHaveProperty('unsplit');
  expect((await watched(looks, { grpc: true, isWhole: false })).heard[0]).toMatchObject({ unsplit: true });
});

test('gRPC answers are counted by their own status, where gRPC is routed', async () => {
  const grpc = (status: number, value: number) => sample(`envoy_cluster_grpc_${status}`, 'backend-canary', value);
  const { heard, queries } = await watched([[grpc(0, 1)], [grpc(0, 2), grpc(14, 1), grpc(5, 1)]], { grpc: true });
  expect(heard.map((event) => event.kind === 'request' && event.failure)).toEqual([undefined, 'grpc UNAVAILABLE', undefined]);
  expect(queries[0]).toContain('envoy_cluster_grpc');
});

test('a gRPC call that Envoy answers itself counts once, though three counters have it', async () => {
  const of = (name: string, value: number): Sample => sample(name, 'backend-canary', value);
  const { heard } = await watched(
    [
      [of(EJECTED, 1), of('envoy_cluster_grpc_14', 1)],
      [of(EJECTED, 4), of('envoy_cluster_grpc_14', 3)],
    ],
    {
      grpc: true,
    },
  );
  // Two of the three that reached no pod have their status; the third was no gRPC call.
  expect(heard.map((event) => event.kind === 'request' && event.failure)).toEqual([
    'connect failure',
    'grpc UNAVAILABLE',
    'grpc UNAVAILABLE',
  ]);
});

test('a Prometheus that is away blinds only where flows do not suffice', async () => {
  expect((await watched([undefined, []])).heard).toEqual([]);
  expect((await watched([undefined, []], { grpc: true })).heard.map(({ kind }) => kind)).toEqual(['gap', 'sight']);
});

test("Envoy's own 5xx count once flows have had three seconds to show them, and only what they have not shown", () => {
  let now = 0;
  const unshown = createUnshown(() => now);
  unshown.grown('canary', 5);
  expect(unshown.take('canary', 2_900, 0, 0)).toBe(0);
  now = 2_900;
  unshown.grown('canary', 1);
  expect(unshown.take('canary', 3_000, 2, 1)).toBe(2);
  expect(unshown.take('canary', 3_500, 2, 1)).toBe(0);
  expect(unshown.take('canary', 5_900, 2, 1)).toBe(1);
  expect(unshown.take('stable', 9_000, 0, 0)).toBe(0);
});
