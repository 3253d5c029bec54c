import { expect, test } from 'vitest';
import { type CountedServices, followCounters } from '../../../activities/canary/counters.ts';
import { createUnshown } from '../../../activities/canary/unshown.ts';
import { PrometheusFailure, type Sample } from '../../../src/clients/prometheus/prometheus.ts';
import type { Evidence } from '../../../src/domain/judge/evidence.ts';
import { SILENT } from '../../../src/log.ts';

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
    { namespace: 'backend', services, grpc: false, shown: () => 0, isTold: () => false, isWhole: true, left: () => 0, ...counted },
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
  expect(heard.map((event) => event.kind === 'request' && event.failure)).toEqual([undefined, undefined, 'grpc UNAVAILABLE']);
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
  unshown.grown('canary', [-9, -9, -5, -5, -5]);
  expect(unshown.take('canary', 2_900, 0, 0)).toEqual([]);
  now = 2_900;
  unshown.grown('canary', [2_800]);
  // Which two of the five flows have shown is not known, so the oldest are told.
  expect(unshown.take('canary', 3_000, 2, 1)).toEqual([-9, -9]);
  expect(unshown.take('canary', 3_500, 2, 1)).toEqual([]);
  expect(unshown.take('canary', 5_900, 2, 1)).toEqual([2_800]);
  expect(unshown.take('stable', 9_000, 0, 0)).toEqual([]);
});

/** What Prometheus says of a scrape at `ms`, with the requests that were open then. */
function scraped(ms: number, open: number, pending = 0): readonly Sample[] {
  const time = sample('', 'backend-canary', ms / 1_000);
  return [
    { ...time, labels: { ...time.labels, meshops_scraped: 'yes' } },
    sample('envoy_cluster_upstream_rq_active', 'backend-canary', open),
    sample('envoy_cluster_upstream_rq_pending_active', 'backend-canary', pending),
  ];
}

const startsOf = (heard: readonly Evidence[]) => heard.map((event) => event.kind === 'request' && event.startedAt);

test('a request that reached no pod began since the scrape before, or was waiting then', async () => {
  const { heard } = await watched([
    [...scraped(60_000, 0, 0), sample(EJECTED, 'backend-canary', 7)],
    // Looked at again before it is scraped again.
    [...scraped(60_000, 0, 0), sample(EJECTED, 'backend-canary', 7)],
    [...scraped(65_000, 9, 1), sample(EJECTED, 'backend-canary', 9)],
    [...scraped(70_000, 0, 0), sample(EJECTED, 'backend-canary', 12), sample(NONE, 'backend-canary', 1)],
  ]);
  // One of the last three may have waited as long as Envoy tries to connect; without an endpoint nothing waits.
  expect(startsOf(heard)).toEqual([60_000, 60_000, 60_000, 65_000, 65_000, 65_000]);
});

test('what was open at the scrape before is told as having begun before it, for the objective alone where it is compared', async () => {
  const grpc = (status: number, value: number) => sample(`envoy_cluster_grpc_${status}`, 'backend-canary', value);
  const looks = [
    [...scraped(60_000, 1), grpc(14, 5), grpc(0, 10)],
    [...scraped(65_000, 0), grpc(14, 7), grpc(0, 12)],
  ];
  const compared = (await watched(looks, { grpc: true })).heard;
  expect(startsOf(compared)).toEqual([60_000, 60_000, 60_000, 60_000]);
  expect(compared.map((event) => event.kind === 'request' && [event.failed, event.earlyMs])).toEqual([
    [false, 5_000],
    [false, undefined],
    [true, 5_000],
    [true, undefined],
  ]);
  expect(startsOf((await watched(looks, { grpc: true, isWhole: false })).heard)).toEqual([55_000, 60_000, 55_000, 60_000]);
});

test('of one look the successes are heard before the failures, and all of them', async () => {
  const grpc = (status: number, value: number) => sample(`envoy_cluster_grpc_${status}`, 'backend-canary', value);
  const { heard } = await watched(
    [
      [grpc(14, 1), grpc(0, 1)],
      [grpc(14, 6), grpc(0, 2_001)],
    ],
    { grpc: true },
  );
  expect(heard).toHaveLength(2_005);
  expect(heard.findIndex((event) => event.kind === 'request' && event.failed)).toBe(2_000);
});

test('a gRPC call that was told as asked is not told as another success', async () => {
  const grpc = (status: number, value: number) => sample(`envoy_cluster_grpc_${status}`, 'backend-canary', value);
  const left = (until: number): number => (until >= 65_000 ? 13 : 10);
  const { heard } = await watched(
    [
      [...scraped(60_000, 0), grpc(14, 1), grpc(0, 1)],
      [...scraped(65_000, 0), grpc(14, 3), grpc(0, 3)],
    ],
    { grpc: true, left },
  );
  expect(heard.map((event) => event.kind === 'request' && [event.failed, event.asked])).toEqual([
    [false, true],
    [false, true],
    [true, true],
    // Of this one no flow has told: it reached no pod.
    [true, undefined],
  ]);
});
