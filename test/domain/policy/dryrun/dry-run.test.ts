import { describe, expect, test } from 'vitest';
import { dryRun } from '../../../../src/domain/policy/dryrun/dry-run.ts';
import { readRecorded, readRecordedLine } from '../../../../src/domain/policy/dryrun/recorded.ts';
import { dryRunCsv, dryRunSentences } from '../../../../src/domain/policy/dryrun/words.ts';
import { BACKEND, DATABASE, FRONTEND, HOST, line, policy, record, START, type Told, WORLD } from './lines.ts';

const FROM_FRONTEND = { matchLabels: { app: 'frontend', 'k8s:io.kubernetes.pod.namespace': 'frontend' } };
const candidate = policy('backend', 'backend', {
  endpointSelector: { matchLabels: { app: 'backend' } },
  ingress: [{ fromEndpoints: [FROM_FRONTEND], toPorts: [{ ports: [{ port: '8080', protocol: 'TCP' }] }] }],
});
const run = (...told: readonly Told[]) => dryRun({ flows: record(...told), inForce: [], candidate });
function short({ direction, peer, port, count, unit, key }: ReturnType<typeof run>['wouldDrop'][number]) {
  return {
    direction,
    peer: peer.name,
    port,
    count,
    unit,
    key,
  };
}

describe('connections, not packets', () => {
  test('the verdict, the drop and the trace of one connection count once; another source port is another connection', () => {
    const found = run(
      { from: DATABASE, to: BACKEND, port: 9090 },
      { from: DATABASE, to: BACKEND, port: 9090, event: 4, at: 1 },
      { from: DATABASE, to: BACKEND, port: 9090, event: 4, at: 2 },
      { from: DATABASE, to: BACKEND, port: 9090, sourcePort: 40_001, at: 60 },
      { from: FRONTEND, to: BACKEND },
    );
    expect(found.wouldDrop.map(short)).toEqual([
      {
        direction: 'ingress',
        peer: 'database/database',
        port: 9090,
        count: 2,
        unit: 'connection',
        key: 'ingress/database/database/9090/TCP',
      },
    ]);
    expect(found.wouldDrop[0]).toMatchObject({
      peer: { labels: ['app=database'] },
      firstSeen: START,
      lastSeen: START + 60_000,
      example: { source: 'database/database-7d4b9-x1', destination: 'backend/backend-7d4b9-x1', verdict: 'FORWARDED' },
      why: 'No rule allows it, and the endpoint is under default deny for ingress.',
    });
    expect(found).toMatchObject({ stillAllowed: 1, stillDenied: 0, records: 5, unknown: [], from: START, until: START + 60_000 });
  });

  test('a denied SYN gives a verdict and a drop: one new allow', () => {
    const denied = policy('backend', 'backend', { endpointSelector: { matchLabels: { app: 'backend' } }, ingress: [{}] });
    const found = dryRun({
      flows: record(
        { from: FRONTEND, to: BACKEND, verdict: 'DROPPED' },
        { from: FRONTEND, to: BACKEND, verdict: 'DROPPED', event: 1 },
        { from: WORLD(), to: BACKEND, verdict: 'DROPPED', event: 1 },
      ),
      inForce: [denied],
      candidate,
    });
    expect(found.wouldAllow.map(short)).toMatchObject([{ peer: 'frontend/frontend', count: 1 }]);
    expect(found).toMatchObject({ wouldDrop: [], stillDenied: 1, decidedOtherwise: { count: 0 } });
    expect(found.wouldAllow[0]?.why).toBe('Allowed by backend/backend (spec.ingress[0]).');
  });

  test('the candidate takes the place of its own earlier version, and other policies stay', () => {
    const other = policy('backend', 'extra', {
      endpointSelector: { matchLabels: { app: 'backend' } },
      ingress: [{ fromEntities: ['world'], toPorts: [{ ports: [{ port: '8080' }] }] }],
    });
    const earlier = policy('backend', 'backend', {
      endpointSelector: { matchLabels: { app: 'backend' } },
      ingress: [{ fromEndpoints: [{ matchLabels: { app: 'database', 'k8s:io.kubernetes.pod.namespace': 'database' } }] }],
    });
    const flows = record({ from: WORLD(), to: BACKEND }, { from: DATABASE, to: BACKEND });
    const found = dryRun({ flows, inForce: [other, earlier], candidate });
    expect(found.wouldDrop.map(short)).toMatchObject([{ peer: 'database/database', count: 1 }]);
    expect(found.stillAllowed).toBe(1);
  });

  test('each end is judged where it was seen, and pods that the candidate does not select are not counted', () => {
    const found = run(
      { from: BACKEND, to: DATABASE, port: 5432, direction: 'EGRESS' },
      { from: FRONTEND, to: BACKEND, direction: 'EGRESS' },
      { from: HOST, to: BACKEND },
    );
    expect(found.wouldDrop).toEqual([]);
    expect(found.stillAllowed).toBe(2);
  });

  test('replies, responses and packets before service translation are no connections', () => {
    const found = run(
      { from: WORLD(), to: BACKEND, reply: true },
      { from: WORLD(), to: BACKEND, event: 4, more: { trace_observation_point: 'FROM_ENDPOINT' } },
      { from: WORLD(), to: BACKEND, event: 1, verdict: 'DROPPED', more: { drop_reason_desc: 'STALE_OR_UNROUTABLE_IP' } },
    );
    expect(found).toMatchObject({ wouldDrop: [], stillAllowed: 0, stillDenied: 0, unknown: [] });
  });
});

describe('layer 7', () => {
  const admin = policy('backend', 'backend', {
    endpointSelector: { matchLabels: { app: 'backend' } },
    ingress: [
      {
        fromEndpoints: [FROM_FRONTEND],
        toPorts: [{ ports: [{ port: '8080', protocol: 'TCP' }], rules: { http: [{ method: 'GET', path: '/api/.*' }] } }],
      },
    ],
  });

  test('requests are counted where the request decides, by method and path without the query', () => {
    const http = (url: string, at: number): Told => ({ from: FRONTEND, to: BACKEND, at, http: { method: 'GET', url } });
    const flows = record(http('http://backend:8080/api/a?b=1', 0), http('http://backend:8080/admin?x=1', 1), http('/admin?x=2', 2));
    const found = dryRun({ flows, inForce: [], candidate: admin });
    expect(found.wouldDrop).toMatchObject([{ request: 'GET /admin', count: 2, unit: 'request', peer: { name: 'frontend/frontend' } }]);
    // The connection, and the request that stays.
    expect(found.stillAllowed).toBe(2);
    expect(dryRunSentences(found)[0]).toContain('from frontend/frontend to port 8080/TCP, GET /admin (2)');
  });

  test('where the connection is denied, its requests are not counted again', () => {
    const flows = record({ from: DATABASE, to: BACKEND, http: { method: 'GET', url: '/api/a' } });
    expect(dryRun({ flows, inForce: [], candidate: admin }).wouldDrop).toMatchObject([{ unit: 'connection', count: 1 }]);
  });
});

describe('what says too little is listed, never guessed', () => {
  const nobody = { ip: '10.0.7.7', labels: [], identity: 70_000 };
  test.each<[string, Told]>([
    ['source', { from: nobody, to: BACKEND }],
    ['destination', { from: FRONTEND, to: nobody }],
    ['identity', { from: { ...nobody, labels: ['reserved:unknown'] }, to: BACKEND }],
    ['direction', { from: WORLD(), to: BACKEND, more: { traffic_direction: 'TRAFFIC_DIRECTION_UNKNOWN' } }],
    ['reply', { from: WORLD(), to: BACKEND, event: 4, reply: null, more: { l4: { TCP: { source_port: 1, destination_port: 8080 } } } }],
    ['protocol', { from: WORLD(), to: BACKEND, more: { l4: {} } }],
  ])('%s', (reason, told) => {
    const found = run(told, told);
    expect(found.unknown).toMatchObject([{ reason, count: 1 }]);
    expect(found).toMatchObject({ wouldDrop: [], wouldAllow: [], stillAllowed: 0, stillDenied: 0 });
  });

  test('an address outside without its name, under a rule of names', () => {
    const names = policy('backend', 'backend', {
      endpointSelector: { matchLabels: { app: 'backend' } },
      egress: [
        { toFQDNs: [{ matchName: 'api.example.com' }], toPorts: [{ ports: [{ port: '443' }] }] },
        { toPorts: [{ ports: [{ port: '53' }], rules: { dns: [{ matchPattern: '*' }] } }] },
      ],
    });
    const out: Told = { from: BACKEND, to: WORLD(), port: 443, direction: 'EGRESS' };
    const flows = record(
      out,
      { ...out, sourcePort: 2, names: ['api.example.com'] },
      { ...out, sourcePort: 3, names: ['evil.example.com'] },
    );
    const found = dryRun({ flows, inForce: [], candidate: names });
    expect(found.unknown).toMatchObject([{ reason: 'name', direction: 'egress', count: 1 }]);
    expect(found.wouldDrop.map(short)).toMatchObject([{ peer: 'world (evil.example.com)', count: 1 }]);
    expect(found.stillAllowed).toBe(1);
  });

  test('a port by name, where the container ports are not known', () => {
    const named = policy('backend', 'backend', {
      endpointSelector: { matchLabels: { app: 'backend' } },
      ingress: [{ fromEndpoints: [FROM_FRONTEND], toPorts: [{ ports: [{ port: 'http' }] }] }],
    });
    const flows = record({ from: FRONTEND, to: BACKEND });
    expect(dryRun({ flows, inForce: [], candidate: named }).unknown).toMatchObject([{ reason: 'namedPort', count: 1 }]);
    const namedPorts = () => [{ name: 'http', port: 8080, protocol: 'TCP' }];
    expect(dryRun({ flows, inForce: [], candidate: named, context: { namedPorts } })).toMatchObject({ unknown: [], stillAllowed: 1 });
  });

  test('reserved identities need no labels: their number says it', () => {
    expect(run({ from: { ...HOST, labels: [] }, to: BACKEND })).toMatchObject({ unknown: [], stillAllowed: 1 });
  });
});

test('what the cluster decided otherwise is said', () => {
  const found = run({ from: FRONTEND, to: BACKEND, verdict: 'DROPPED' });
  expect(found.decidedOtherwise).toMatchObject({ count: 1, example: { verdict: 'DROPPED' } });
  expect(dryRunSentences(found).at(-1)).toContain('decided otherwise');
});

test('reads both forms of a record, counts what the recorder lost and what is no flow', () => {
  const bare = (JSON.parse(line({ from: FRONTEND, to: BACKEND })) as { flow: Record<string, unknown> }).flow;
  const decoded = { ...bare, time: { seconds: START / 1_000, nanos: 5e6 }, is_reply: { value: false }, uuid: 'x' };
  expect(readRecorded(decoded)).toMatchObject({ kind: 'flow', flow: { time: START + 5, is_reply: false } });
  const flows = [readRecorded(bare), readRecorded({ lost_events: { num_events_lost: '7' } }), readRecorded({ node_status: {} })];
  const found = dryRun({ flows: [...flows, readRecordedLine('{'), readRecordedLine('5'), readRecordedLine('{}')], inForce: [], candidate });
  expect(found).toMatchObject({ records: 1, lost: 7, unreadable: 3, stillAllowed: 1 });
});

test('the CSV holds every group and no formula', () => {
  const csv = dryRunCsv(run({ from: { ...DATABASE, pod: '=HYPERLINK("x")', namespace: '' }, to: BACKEND, port: 9090 }));
  expect(csv.split('\r\n')[1]).toContain(
    'would drop,ingress,database/database,app=database,9090,TCP,,1,connection,2026-01-01T12:00:00.000Z',
  );
  expect(csv).not.toMatch(/(^|,)"?=/m);
});
