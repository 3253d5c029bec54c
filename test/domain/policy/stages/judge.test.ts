import { describe, expect, it } from 'vitest';
import type { ConnectionEvidence } from '../../../../src/domain/policy/stages/connection.ts';
import { doubtKey, type FlowGroup, peerOf } from '../../../../src/domain/policy/stages/group.ts';
import { createDropsJudge, type DropsSettings } from '../../../../src/domain/policy/stages/judge.ts';

const T = 1_000_000;
const LEGACY: FlowGroup = { peer: { kind: 'cluster', name: 'legacy/legacy' }, direction: 'ingress', protocol: 'TCP', port: 8080 };
const worldTo = (port: number): FlowGroup => ({ peer: { kind: 'world', name: 'world' }, direction: 'ingress', protocol: 'TCP', port });

function judgeOf(change: Partial<DropsSettings> = {}, resumed?: ReturnType<ReturnType<typeof createDropsJudge>['snapshot']>) {
  return createDropsJudge({ from: T, accepted: [], observing: false, directions: ['ingress'], asks: true, ...change }, resumed);
}

function connection(change: Partial<ConnectionEvidence> = {}): ConnectionEvidence {
  const at = change.at ?? T + 10;
  return {
    kind: 'connection',
    at,
    seenAt: at,
    side: 'canary',
    outcome: 'forwarded',
    group: LEGACY,
    address: '',
    example: 'a → b',
    ...change,
  };
}
const dropped = (change: Partial<ConnectionEvidence> = {}) => connection({ outcome: 'dropped', cause: 'candidate', ...change });

describe('harm', () => {
  it('is one drop of a peer inside that was allowed before, at once, with the way to accept it', () => {
    const judge = judgeOf();
    expect(judge.hear(connection())).toBeUndefined();
    const verdict = judge.hear(dropped({ at: T + 50 }));
    expect(verdict).toMatchObject({ kind: 'harmful', judge: 'drops', firstHarmAt: T + 50, decidedAt: T + 50 });
    expect(verdict?.words).toContain(`--accept ${doubtKey(LEGACY)}`);
    expect(judge.counts.canary).toEqual({ requests: 2, failures: 1 });
    expect(judge.conclude(T + 99_999)).toBe(verdict);
  });

  it('is a drop of an address that was let through in the recorded window', () => {
    const judge = judgeOf();
    for (const before of [9_000, 4_000]) judge.hear(connection({ at: T - before, group: worldTo(8080), address: '203.0.113.9' }));
    expect(judge.hear(dropped({ group: worldTo(8080), address: '203.0.113.9' }))?.kind).toBe('harmful');
  });

  it('is not a drop of an address that came with the stage: a scan that has just begun tries one port of every pod', () => {
    const judge = judgeOf();
    for (const before of [4_900, 4_700, 1_000, 0.5])
      judge.hear(connection({ at: T - before, group: worldTo(22), address: '203.0.113.66' }));
    expect(judge.hear(dropped({ group: worldTo(22), address: '203.0.113.66' }))).toBeUndefined();
    expect(judge.conclude(T + 60_000).kind).toBe('doubtful');
  });

  it('is not a drop of an address that came once before: the first connection of a port scan is let through as well', () => {
    const judge = judgeOf();
    judge.hear(connection({ at: T - 5_000, group: worldTo(22), address: '203.0.113.66' }));
    expect(judge.hear(dropped({ group: worldTo(22), address: '203.0.113.66' }))).toBeUndefined();
  });

  it.each([
    ['what the policies before denied as well', dropped({ cause: 'before' })],
    ['what was dropped before the stage was written', dropped({ at: T - 1 })],
    ['an address that nobody has seen', dropped({ group: worldTo(8080), address: '203.0.113.9' })],
    ['a drop that the evaluator cannot explain', dropped({ cause: 'unexplained' })],
    ['what would be dropped', connection({ outcome: 'would-drop', cause: 'candidate' })],
  ])('is not %s', (_, event) => {
    expect(judgeOf().hear(event)).toBeUndefined();
  });

  it('is not what people have accepted', () => {
    const judge = judgeOf({ accepted: [doubtKey(LEGACY)] });
    expect(judge.hear(dropped())).toBeUndefined();
    expect(judge.conclude(T + 60_000)).toMatchObject({ kind: 'healthy', words: expect.stringContaining('1 dropped as accepted') });
  });

  it('is not a scanner, even one that scanned before the stage', () => {
    const judge = judgeOf();
    for (const port of [22, 23, 80, 8080]) judge.hear(connection({ at: T - 500, group: worldTo(port), address: '198.51.100.7' }));
    expect(judge.hear(dropped({ group: worldTo(8080), address: '198.51.100.7' }))).toBeUndefined();
  });

  it('is not a scanner that has come round to one port only, also after the watch was taken up again', () => {
    const judge = judgeOf();
    for (const port of [22, 23, 80, 443, 22]) judge.hear(connection({ at: T - 500, group: worldTo(port), address: '198.51.100.7' }));
    const drop = dropped({ group: worldTo(22), address: '198.51.100.7' });
    expect(judge.hear(drop)).toBeUndefined();
    expect(judgeOf({}, judge.snapshot()).hear(drop)).toBeUndefined();
  });
});

describe('doubts', () => {
  const scan = (judge: ReturnType<typeof judgeOf>, ports: number, at = T + 100) => {
    for (let port = 1; port <= ports; port++) judge.hear(dropped({ at, group: worldTo(port), address: '198.51.100.7' }));
  };

  it('are collected for a moment, then asked about together', () => {
    const judge = judgeOf();
    scan(judge, 2);
    expect(judge.hear({ kind: 'tick', at: T + 1_000 })).toBeUndefined();
    expect(judge.hear({ kind: 'tick', at: T + 2_200 })).toMatchObject({
      kind: 'doubtful',
      doubts: [{ key: 'ingress/world/1/TCP' }, { key: 'ingress/world/2/TCP' }],
    });
  });

  it('of many ports are one question, and once it is answered the scan goes on without another', () => {
    const judge = judgeOf();
    scan(judge, 500);
    const verdict = judge.hear({ kind: 'tick', at: T + 5_000 });
    expect(verdict).toMatchObject({ kind: 'doubtful', doubts: [{ key: 'ingress/world/*/*' }] });
    const again = judgeOf({ accepted: ['ingress/world/*/*'] });
    scan(again, 500);
    expect(again.hear({ kind: 'tick', at: T + 5_000 })).toBeUndefined();
    expect(again.conclude(T + 9_000).kind).toBe('healthy');
  });

  it('that were accepted port by port become one question in the end', () => {
    const judge = judgeOf({ accepted: [1, 2, 3].map((port) => `ingress/world/${port}/TCP`) });
    scan(judge, 4);
    expect(judge.hear({ kind: 'tick', at: T + 5_000 })).toMatchObject({ doubts: [{ key: 'ingress/world/*/*' }] });
  });

  it('that were accepted are asked about again once there are more of them than was accepted', () => {
    const key = 'egress/world:203.0.113.9/443/TCP';
    const group: FlowGroup = { ...worldTo(443), direction: 'egress', where: '203.0.113.9' };
    const judge = judgeOf({ accepted: [key], limits: { [key]: 10 } });
    for (let count = 0; count < 10; count++) judge.hear(dropped({ at: T + count, group, address: '203.0.113.9' }));
    expect(judge.hear({ kind: 'tick', at: T + 5_000 })).toBeUndefined();
    judge.hear(dropped({ at: T + 5_000, group, address: '203.0.113.9' }));
    expect(judge.hear({ kind: 'tick', at: T + 8_000 })).toMatchObject({ kind: 'doubtful', doubts: [{ key }] });
  });

  it.each([1, 3, 8])(
    'of a steady scan of %i ports are asked about a few times, each time for more, and the watch hears its stage again each time',
    (ports) => {
      const events = Array.from({ length: 300 }, (_, index) =>
        dropped({ at: T + index * 200, group: { ...worldTo(1 + (index % ports)), where: '198.51.100.7' }, address: '198.51.100.7' }),
      );
      const accepted: string[] = [];
      const limits: Record<string, number> = {};
      let questions = 0;
      for (let going = true; going && questions < 100; ) {
        going = false;
        const judge = judgeOf({ accepted, limits: { ...limits } });
        for (const event of events) {
          const verdict = judge.hear(event);
          if (verdict?.kind !== 'doubtful') continue;
          for (const { key, most } of verdict.doubts) {
            accepted.push(key);
            limits[key] = most ?? 0;
          }
          questions += 1;
          going = true;
          break;
        }
      }
      expect(questions).toBeGreaterThan(1);
      expect(questions).toBeLessThanOrEqual(8);
    },
  );

  it('of one address say nothing about another, nor of one request about the connection', () => {
    const telemetry = { ...worldTo(443), direction: 'egress', where: 'telemetry.example.com' } as const;
    const payments = { ...telemetry, where: 'payments.example.com' };
    const judge = judgeOf({ accepted: [doubtKey(telemetry)] });
    judge.hear(dropped({ group: telemetry }));
    expect(judge.hear({ kind: 'tick', at: T + 5_000 })).toBeUndefined();
    judge.hear(dropped({ at: T + 5_000, group: payments }));
    expect(judge.hear({ kind: 'tick', at: T + 8_000 })).toMatchObject({ doubts: [{ key: 'egress/world:payments.example.com/443/TCP' }] });
    const refused: FlowGroup = { ...LEGACY, request: 'DELETE /admin' };
    expect(doubtKey(refused)).toBe('ingress/legacy/legacy/8080/TCP#DELETE:/admin');
    expect(judgeOf({ accepted: [doubtKey(refused)] }).hear(dropped({ group: refused }))).toBeUndefined();
    expect(judgeOf({ accepted: [doubtKey(refused)] }).hear(dropped())?.kind).toBe('harmful');
  });

  it('of a scan of some ports accept no other address at these ports', () => {
    const judge = judgeOf();
    for (const port of [22, 23, 25, 80, 8080]) judge.hear(dropped({ group: { ...worldTo(port), where: '198.51.100.7' } }));
    const verdict = judge.hear({ kind: 'tick', at: T + 5_000 });
    expect(verdict).toMatchObject({ kind: 'doubtful', doubts: [{ key: 'ingress/world:198.51.100.7/*/*' }] });
    const next = judgeOf({ accepted: ['ingress/world:198.51.100.7/*/*'] });
    next.hear(dropped({ group: { ...worldTo(8080), where: '203.0.113.9' } }));
    expect(next.hear({ kind: 'tick', at: T + 5_000 })?.kind).toBe('doubtful');
  });

  it('that people put off by watching on come at the end of the watch, new ones at once', () => {
    const group = { ...worldTo(22), where: '198.51.100.7' };
    const judge = judgeOf({ postponed: [doubtKey(group)] });
    judge.hear(dropped({ group }));
    expect(judge.hear({ kind: 'tick', at: T + 9_000 })).toBeUndefined();
    expect(judge.conclude(T + 60_000).kind).toBe('doubtful');
    judge.hear(dropped({ at: T + 60_000, group: { ...worldTo(23), where: '203.0.113.9' } }));
    expect(judge.hear({ kind: 'tick', at: T + 63_000 })?.kind).toBe('doubtful');
  });

  it('for a reason that is no policy are none where the same reason dropped connections before', () => {
    const judge = judgeOf();
    judge.hear(dropped({ at: T - 1_000, cause: 'unexplained', reason: 'CT_MAP_INSERTION_FAILED' }));
    judge.hear(dropped({ cause: 'unexplained', reason: 'CT_MAP_INSERTION_FAILED' }));
    expect(judge.hear({ kind: 'tick', at: T + 5_000 })).toBeUndefined();
    judge.hear(dropped({ at: T + 5_000, cause: 'unexplained', reason: 'NO_TUNNEL_OR_ENCAPSULATION_ENDPOINT' }));
    expect(judge.hear({ kind: 'tick', at: T + 8_000 })?.kind).toBe('doubtful');
  });

  it('do not end a watch while people are asked already, and do not disarm it', () => {
    const judge = judgeOf({ asks: false });
    scan(judge, 1);
    expect(judge.hear({ kind: 'tick', at: T + 60_000 })).toBeUndefined();
    expect(judge.hear(dropped({ at: T + 60_001 }))?.kind).toBe('harmful');
  });
});

describe('observing', () => {
  const observing = { observing: true, directions: ['ingress', 'egress'] } as const;
  const out: FlowGroup = { ...LEGACY, direction: 'egress' };

  it('asks at the end about what would be dropped, not in between', () => {
    const judge = judgeOf(observing);
    judge.hear(connection({ outcome: 'would-drop', cause: 'candidate' }));
    expect(judge.hear({ kind: 'tick', at: T + 60_000 })).toBeUndefined();
    expect(judge.conclude(T + 61_000)).toMatchObject({ kind: 'doubtful', doubts: [{ key: doubtKey(LEGACY), count: 1 }] });
  });

  it('asks about what only the shadow lets through', () => {
    const judge = judgeOf(observing);
    judge.hear(connection({ outcome: 'would-drop', cause: 'hidden' }));
    expect(judge.conclude(T + 61_000)).toMatchObject({
      kind: 'doubtful',
      words: expect.stringContaining('only the shadow lets through until it is removed'),
    });
  });

  describe('an address without a name', () => {
    const [address, name] = ['203.0.113.10', 'api.example.com'];
    const outside = (where: string): FlowGroup => ({ ...out, peer: { kind: 'world', name: 'world' }, port: 443, where });
    const nameless = (pod: string, at: number) =>
      connection({ group: outside(address), address, pod, at, outcome: 'would-drop', cause: 'candidate' });
    const named = (pod: string, at: number) => connection({ group: outside(name), address, pod, at });
    const lookedAt = (events: readonly ConnectionEvidence[], change: Partial<DropsSettings> = observing) => {
      const judge = judgeOf(change);
      for (const event of [connection(), ...events]) judge.hear(event);
      return judge;
    };

    it('is no doubt any more once each pod that used it is let through by its name', () => {
      const judge = lookedAt([nameless('a', T + 1), nameless('a', T + 2), nameless('b', T + 3), named('a', T + 20), named('b', T + 30)]);
      expect(judge.conclude(T + 60_000)).toMatchObject({ kind: 'healthy', counts: { canary: { requests: 6, failures: 0 } } });
    });

    it.each([
      ['another pod has used it and has not looked it up', [nameless('a', T + 1), nameless('b', T + 2), named('a', T + 20)]],
      ['it is used without a name again', [nameless('a', T + 1), named('a', T + 20), nameless('a', T + 30)]],
      ['it is another port', [nameless('a', T + 1), connection({ group: { ...outside(name), port: 80 }, address, pod: 'a', at: T + 20 })]],
      ['the name has another address', [nameless('a', T + 1), connection({ group: outside(name), address: '203.0.113.11', pod: 'a' })]],
    ])('stays one where %s', (_, events) => {
      expect(lookedAt(events).conclude(T + 60_000)).toMatchObject({ kind: 'doubtful', doubts: [{ key: doubtKey(outside(address)) }] });
    });

    it('is known to the next attempt, pod by pod', () => {
      const first = lookedAt([nameless('a', T + 1), nameless('b', T + 2), named('a', T + 20)]);
      const next = judgeOf(observing, first.snapshot());
      next.hear(named('b', T + 30));
      expect(next.conclude(T + 60_000).kind).toBe('healthy');
    });

    it('that was dropped is not undone by that: only a shadow takes nothing from anybody', () => {
      const dropped = { outcome: 'dropped', cause: 'unexplained' } as const;
      const judge = lookedAt([{ ...nameless('a', T + 1), ...dropped }, named('a', T + 20)], { directions: ['egress'] });
      expect(judge.conclude(T + 60_000).kind).toBe('doubtful');
    });
  });

  it('holds where a direction was silent in the whole window', () => {
    const judge = judgeOf(observing);
    judge.hear(connection());
    expect(judge.conclude(T + 60_000)).toMatchObject({ kind: 'no-traffic', words: expect.stringContaining('egress') });
    judge.hear(connection({ group: out }));
    expect(judge.conclude(T + 60_000).kind).toBe('healthy');
  });
});

describe('the rest', () => {
  it('silence under an enforced policy is healthy where it was silent before', () => {
    expect(judgeOf().conclude(T + 60_000).kind).toBe('healthy');
  });

  it('lost events blind', () => {
    expect(judgeOf().hear({ kind: 'gap', at: T + 5, node: 'node-1', reason: 'RING', lost: 3 })?.kind).toBe('blind');
  });

  it('another attempt goes on from the snapshot', () => {
    const judge = judgeOf();
    for (const before of [9_000, 4_000]) judge.hear(connection({ at: T - before, group: worldTo(8080), address: '203.0.113.9' }));
    judge.hear(dropped({ group: worldTo(22), address: '198.51.100.7' }));
    const next = judgeOf({}, JSON.parse(JSON.stringify(judge.snapshot())));
    expect(next.counts).toEqual(judge.counts);
    expect(next.hear({ kind: 'tick', at: T + 5_000 })).toMatchObject({ kind: 'doubtful', doubts: [{ key: 'ingress/world/22/TCP' }] });
    expect(next.hear(dropped({ at: T + 6_000, group: worldTo(8080), address: '203.0.113.9' }))?.kind).toBe('harmful');
  });
});

describe('who a peer is', () => {
  it.each([
    [['k8s:app=frontend', 'k8s:io.kubernetes.pod.namespace=frontend', 'k8s:meshops.dev/cohort=x'], 'cluster', 'frontend/frontend'],
    [['k8s:app.kubernetes.io/name=api', 'k8s:io.kubernetes.pod.namespace=a'], 'cluster', 'a/api'],
    [['reserved:world'], 'world', 'world'],
    [['cidr:10.0.0.0/8', 'reserved:world'], 'world', 'world'],
    [['reserved:ingress'], 'cluster', 'ingress'],
    [['reserved:kube-apiserver', 'reserved:remote-node'], 'cluster', 'kube-apiserver'],
    [['reserved:unknown'], 'unknown', 'unknown'],
    [[], 'unknown', 'unknown'],
  ])('%j is %s %s', (labels, kind, name) => {
    expect(peerOf(labels)).toEqual({ kind, name });
  });
});

describe('what the stage changes', () => {
  const EGRESS: FlowGroup = { peer: { kind: 'cluster', name: 'kube-system/kube-dns' }, direction: 'egress', protocol: 'UDP', port: 53 };
  const before = (change: Partial<ConnectionEvidence>) => connection({ at: T - 5_000, ...change });
  const end = T + 60_000;

  it('is healthy only once what the policy denies was seen: until then it goes on, and then holds and says what', () => {
    const judge = judgeOf({ patientUntil: T + 90_000 });
    judge.hear(before({ group: EGRESS, newly: 'denied' }));
    judge.hear(before({ newly: 'enforced' }));
    judge.hear(connection());
    expect(judge.pending?.(end)).toContain('to kube-system/kube-dns, port 53/UDP, which the policy denies');
    expect(judge.pending?.(T + 90_000)).toBeUndefined();
    expect(judge.conclude(T + 90_000)).toMatchObject({
      kind: 'no-traffic',
      words: expect.stringContaining(
        'Not seen in the watch: connections to kube-system/kube-dns, port 53/UDP, which the policy denies (1 before)',
      ),
    });
    expect(judge.hear(dropped({ group: EGRESS }))?.kind).toBe('harmful');
  });

  it('that was accepted is not waited for', () => {
    const judge = judgeOf({ accepted: [doubtKey(EGRESS)] });
    judge.hear(before({ group: EGRESS, newly: 'denied' }));
    expect(judge.pending?.(end)).toBeUndefined();
    expect(judge.conclude(end).kind).toBe('healthy');
  });

  it('holds where nothing came of what it enforces for the first time, and names the rest where something did', () => {
    const judge = judgeOf({ patientUntil: end });
    const batch: FlowGroup = { ...LEGACY, peer: { kind: 'cluster', name: 'batch/nightly' } };
    judge.hear(before({ newly: 'enforced' }));
    judge.hear(before({ group: batch, newly: 'enforced' }));
    judge.hear(connection({ side: 'stable' }));
    expect(judge.pending?.(T + 1_000)).toBeDefined();
    expect(judge.conclude(end).kind).toBe('no-traffic');
    judge.hear(connection());
    expect(judge.pending?.(T + 1_000)).toBeUndefined();
    expect(judge.conclude(end)).toMatchObject({
      kind: 'healthy',
      unseen: 'connections from batch/nightly to port 8080/TCP (1 before)',
      words: expect.stringContaining('Not seen in the watch: connections from batch/nightly'),
    });
  });

  it('through a proxy for the first time is proved by requests, not by a connection', () => {
    const judge = judgeOf({ leastRequests: 2 });
    judge.hear(before({ newly: 'proxied' }));
    judge.hear(connection());
    expect(judge.conclude(end).kind).toBe('no-traffic');
    judge.hear(connection({ group: { ...LEGACY, request: 'GET /' } }));
    expect(judge.conclude(end).words).toContain('1 of 2 requests in through the proxy');
    judge.hear(connection({ group: { ...LEGACY, request: 'GET /' } }));
    expect(judge.conclude(end).kind).toBe('healthy');
  });

  it('does not wait for a scanner, nor for an address that came once', () => {
    const judge = judgeOf();
    judge.hear(before({ group: worldTo(22), address: '203.0.113.66', newly: 'denied' }));
    for (const port of [22, 23, 80, 8080])
      for (const at of [T - 9_000, T - 500]) judge.hear(before({ at, group: worldTo(port), address: '198.51.100.7', newly: 'denied' }));
    expect(judge.conclude(end).kind).toBe('healthy');
    for (const at of [T - 9_000, T - 200]) judge.hear(before({ at, group: worldTo(8080), address: '203.0.113.9', newly: 'denied' }));
    expect(judge.conclude(end).kind).toBe('no-traffic');
  });

  it('is known to the next attempt', () => {
    const judge = judgeOf();
    judge.hear(before({ newly: 'denied' }));
    expect(judgeOf({}, JSON.parse(JSON.stringify(judge.snapshot()))).conclude(end).kind).toBe('no-traffic');
  });
});

describe('what there was before the stage', () => {
  const end = T + 60_000;
  const read = { kind: 'before', at: T, unread: [] } as const;
  const unread = { ...read, unread: [{ node: 'node-2', reason: 'no answer in time' }] };
  const watched = (change: Partial<DropsSettings> = {}) => {
    const judge = judgeOf({ hearsBefore: true, patientUntil: end + 30_000, ...change });
    judge.hear(connection());
    return judge;
  };

  it('is waited for, and nothing is healthy that was not compared with it', () => {
    const judge = watched();
    expect(judge.pending?.(end)).toBeDefined();
    expect(judge.conclude(end)).toMatchObject({ kind: 'no-traffic', words: expect.stringContaining('could not be read from the nodes') });
    judge.hear(read);
    expect(judge.pending?.(end)).toBeUndefined();
    expect(judge.conclude(end).kind).toBe('healthy');
  });

  it('holds where a node did not tell it, and says which', () => {
    const judge = watched();
    judge.hear(unread);
    expect(judge.conclude(end)).toMatchObject({ kind: 'no-traffic', words: expect.stringContaining('node-2 (no answer in time)') });
    expect(judgeOf({ hearsBefore: true }, JSON.parse(JSON.stringify(judge.snapshot()))).conclude(end).kind).toBe('no-traffic');
  });

  it('is known to the next attempt, also to one that goes on from a version that did not say so', () => {
    const judge = watched();
    judge.hear(read);
    const { unread: said, ...older } = JSON.parse(JSON.stringify(judge.snapshot()));
    expect(said).toEqual([]);
    for (const snapshot of [judge.snapshot(), older]) expect(judgeOf({ hearsBefore: true }, snapshot).conclude(end).kind).toBe('healthy');
    expect(judgeOf({ hearsBefore: true }, watched().snapshot()).conclude(end).kind).toBe('no-traffic');
  });

  it('asks nobody while people are being asked already', () => {
    const judge = watched({ asks: false });
    judge.hear(unread);
    expect(judge.conclude(end).kind).toBe('healthy');
  });
});

describe('a step whose pods were replaced', () => {
  it('holds where not one connection of a pod under the policy was seen, and is healthy where some were', () => {
    const judge = judgeOf();
    judge.hear(connection({ side: 'stable' }));
    judge.hear({ kind: 'cohort', at: T + 20, left: 0, of: 1 });
    expect(judge.conclude(T + 60_000)).toMatchObject({ kind: 'no-traffic', words: expect.stringContaining('1 of the 1 pods') });
    const seen = judgeOf();
    seen.hear(connection());
    seen.hear({ kind: 'cohort', at: T + 20, left: 0, of: 1 });
    expect(seen.conclude(T + 60_000).kind).toBe('healthy');
  });
});
