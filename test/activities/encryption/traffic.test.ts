import { describe, expect, it } from 'vitest';
import { createTrafficReader } from '../../../activities/encryption/traffic.ts';
import type { TrafficOptions, TrafficReader } from '../../../activities/encryption/traffic-reader.ts';
import { trace } from './traces.ts';

const NODES: Readonly<Record<string, string>> = { '10.0.1.1': 'node-1', '10.0.2.1': 'node-2', '10.0.1.2': 'node-1' };

function reader(changes: Partial<TrafficOptions> = {}): TrafficReader {
  return createTrafficReader({
    nodeOf: (address) => NODES[address],
    isChanged: (node) => node === 'node-2',
    isExpected: () => false,
    from: 0,
    proves: () => true,
    ...changes,
  });
}

/** Whole connections, so that it is known how this kind ends. */
function usual(of: TrafficReader, count: number): void {
  for (let port = 1; port <= count; port += 1) {
    of.read(trace(port, ['SYN'], { port }), 'node-1', port);
    of.read(trace(port + 1, ['SYN', 'ACK'], { port, reply: true }), 'node-1', port + 1);
    of.read(trace(port + 2, ['ACK', 'FIN'], { port }), 'node-1', port + 2);
  }
}

describe('connections between nodes', () => {
  it('count when they are answered, for the side of their nodes', () => {
    const of = reader();
    expect(of.read(trace(10, ['SYN']), 'demo/node-1', 11)).toBeUndefined();
    const event = of.read(trace(14, ['SYN', 'ACK'], { reply: true }), 'demo/node-1', 15);
    expect(event).toMatchObject({ kind: 'request', side: 'canary', failed: false, pair: 'node-1 → node-2', latencyMs: 4 });
    expect(of.traffic.get('node-1 → node-2')).toMatchObject({ begun: 1, answered: 1, lost: 0 });
  });

  it('are lost when no answer comes, and only once', () => {
    const of = reader();
    of.read(trace(10, ['SYN']), 'node-1', 10);
    expect(of.overdue(1_900)).toEqual([]);
    of.read(trace(2_900, ['SYN', 'ACK'], { reply: true, port: 5 }), 'node-1', 2_900);
    expect(of.overdue(2_900)).toMatchObject([{ failed: true, failure: 'no answer', pair: 'node-1 → node-2' }]);
    expect(of.overdue(9_000)).toEqual([]);
  });

  it('that stay on a node, or leave the cluster, are nobody’s', () => {
    const of = reader();
    of.read(trace(10, ['SYN'], { to: '10.0.1.2' }), 'node-1', 10);
    of.read(trace(10, ['SYN'], { to: '203.0.113.1' }), 'node-1', 10);
    expect(of.overdue(60_000)).toEqual([]);
    expect(of.traffic.size).toBe(0);
  });

  it('that a policy drops are not lost', () => {
    const of = reader();
    of.read(trace(10, ['SYN']), 'node-1', 10);
    of.read({ ...trace(11, ['SYN']), verdict: 'DROPPED', event_type: { type: 1 }, drop_reason_desc: 'POLICY_DENIED' }, 'node-2', 11);
    expect(of.overdue(60_000)).toEqual([]);
  });

  it('that are dropped for want of encryption are lost, and counted as such for their pair', () => {
    const of = reader();
    for (const [port, drop_reason_desc] of [
      [1, 'UNENCRYPTED_TRAFFIC'],
      [2, 'NO_NODE_ID'],
    ] as const) {
      of.read(trace(10, ['SYN'], { port }), 'node-1', 10);
      of.read({ ...trace(11, ['SYN'], { port }), verdict: 'DROPPED', event_type: { type: 1 }, drop_reason_desc }, 'node-2', 11);
    }
    expect(of.overdue(60_000)).toHaveLength(2);
    expect(of.traffic.get('node-1 → node-2')).toMatchObject({ drops: 2, lost: 2 });
  });

  it('that begin before both nodes do what they were told prove nothing, and are judged all the same', () => {
    const of = reader({ proves: (_from, _to, at) => at >= 1_000 });
    of.read(trace(10, ['SYN'], { port: 1 }), 'node-1', 10);
    expect(of.read(trace(14, ['SYN', 'ACK'], { port: 1, reply: true }), 'node-1', 15)).toMatchObject({ failed: false });
    expect(of.traffic.get('node-1 → node-2')).toMatchObject({ begun: 0, answered: 0 });
    of.read(trace(20, ['SYN'], { port: 2 }), 'node-1', 20);
    expect(of.overdue(60_000)).toHaveLength(1);
    of.read(trace(70_000, ['SYN'], { port: 3 }), 'node-1', 70_000);
    of.read(trace(70_004, ['SYN', 'ACK'], { port: 3, reply: true }), 'node-1', 70_004);
    expect(of.traffic.get('node-1 → node-2')).toMatchObject({ begun: 1, answered: 1, lost: 0 });
  });

  it('that a closed port refuses are answered', () => {
    const of = reader();
    of.read(trace(10, ['SYN']), 'node-1', 10);
    expect(of.read(trace(11, ['ACK', 'RST'], { reply: true }), 'node-1', 11)).toMatchObject({ failed: false });
    expect(of.overdue(60_000)).toEqual([]);
  });

  it('hang where all of their kind came to their end before: large packets are lost on the way', () => {
    const of = reader();
    usual(of, 20);
    of.read(trace(1_000, ['SYN'], { port: 99 }), 'node-1', 1_000);
    of.read(trace(1_002, ['SYN', 'ACK'], { port: 99, reply: true }), 'node-1', 1_002);
    expect(of.overdue(60_000)).toEqual([]);
    of.read(trace(6_100, ['SYN', 'ACK'], { port: 98, reply: true }), 'node-1', 6_100);
    expect(of.overdue(60_000)).toMatchObject([{ failed: true, failure: 'hangs' }]);
    expect(of.traffic.get('node-1 → node-2')).toMatchObject({ lost: 1, ends: true });
  });

  it('say that large packets pass as far as they end and their kind is known to', () => {
    const of = reader();
    usual(of, 9);
    expect(of.traffic.get('node-1 → node-2')).toMatchObject({ ended: 9, whole: 0 });
    usual(of, 5);
    expect(of.traffic.get('node-1 → node-2')).toMatchObject({ ended: 14, whole: 5 });
  });

  it('say nothing of large packets where they end much later than is usual: their clients gave them up', () => {
    const of = reader();
    for (let port = 1; port <= 20; port += 1) {
      of.learn(trace(port, ['SYN'], { port }), 'node-1');
      of.learn(trace(port + 300, ['ACK', 'FIN'], { port }), 'node-1');
    }
    const took = (ms: number, port: number): void => {
      of.read(trace(1_000, ['SYN'], { port }), 'node-1', 1_000);
      of.read(trace(1_000, ['SYN', 'ACK'], { port, reply: true }), 'node-1', 1_000);
      of.read(trace(1_000 + ms, ['ACK', 'FIN'], { port }), 'node-1', 1_000 + ms);
    };
    took(400, 50);
    took(2_000, 51);
    expect(of.traffic.get('node-1 → node-2')).toMatchObject({ ended: 2, whole: 2 });
    took(3_000, 52);
    expect(of.traffic.get('node-1 → node-2')).toMatchObject({ ended: 3, whole: 2 });
    // Of what nobody knows of before only what is quick.
    const fresh = reader();
    for (const [port, ms] of [...Array.from({ length: 12 }, (_, nth) => [nth + 1, 2] as const), [80, 400], [81, 600]] as const) {
      fresh.read(trace(port * 2_000, ['SYN'], { port }), 'node-1', port);
      fresh.read(trace(port * 2_000, ['SYN', 'ACK'], { port, reply: true }), 'node-1', port);
      fresh.read(trace(port * 2_000 + ms, ['ACK', 'FIN'], { port }), 'node-1', port);
    }
    expect(fresh.traffic.get('node-1 → node-2')).toMatchObject({ ended: 14, whole: 4 });
  });

  it('of before are not taken for such that stay open while the rings are being read, however new what comes live', () => {
    const hangs = (isSlow: boolean): number => {
      const of = reader();
      for (let port = 1; port <= 20; port += 1) {
        of.learn(trace(port, ['SYN'], { port }), 'node-1');
        of.learn(trace(port + 1, ['SYN', 'ACK'], { port, reply: true }), 'node-1');
        of.read(trace(60_000, ['SYN', 'ACK'], { port: 98, reply: true }), 'node-1', 60_000);
        if (port <= 15 || !isSlow) of.overdue(60_000);
        if (port <= 15 || !isSlow) of.learn(trace(port + 2, ['ACK', 'FIN'], { port }), 'node-1');
      }
      of.learned();
      of.overdue(60_000);
      of.read(trace(60_000, ['SYN'], { port: 99 }), 'node-1', 60_000);
      of.read(trace(60_001, ['SYN', 'ACK'], { port: 99, reply: true }), 'node-1', 60_001);
      of.read(trace(66_000, ['SYN', 'ACK'], { port: 98, reply: true }), 'node-1', 66_000);
      return of.overdue(66_000).length;
    };
    expect(hangs(false)).toBe(1);
    // Those of which there is no end when all has been read have stayed open.
    expect(hangs(true)).toBe(0);
  });

  it('of a kind of which some stay open are not known to end, however many do', () => {
    const of = reader();
    for (const port of [70, 71, 72]) {
      of.read(trace(10, ['SYN'], { port }), 'node-1', 10);
      of.read(trace(12, ['SYN', 'ACK'], { port, reply: true }), 'node-1', 12);
    }
    of.read(trace(6_000, ['SYN', 'ACK'], { port: 98, reply: true }), 'node-1', 6_000);
    expect(of.overdue(6_000)).toEqual([]);
    usual(of, 20);
    expect(of.traffic.get('node-1 → node-2')).toMatchObject({ ended: 20, whole: 0, ends: false });
  });

  it('that stay open by their nature do not hang', () => {
    const of = reader();
    of.read(trace(1_000, ['SYN'], { port: 99 }), 'node-1', 1_000);
    of.read(trace(1_002, ['SYN', 'ACK'], { port: 99, reply: true }), 'node-1', 1_002);
    of.read(trace(30_000, ['SYN', 'ACK'], { port: 98, reply: true }), 'node-1', 30_000);
    expect(of.overdue(60_000)).toEqual([]);
  });

  it('are not lost as long as the records of their node are late', () => {
    const of = reader();
    of.read(trace(10, ['SYN']), 'node-1', 10);
    expect(of.overdue(11_000)).toEqual([]);
    expect(of.overdue(12_100)).toHaveLength(1);
  });

  it('are not waited for while their node is out of sight', () => {
    const of = reader();
    of.read(trace(10, ['SYN']), 'node-1', 10);
    of.lost('node-1');
    expect(of.overdue(20_000)).toEqual([]);
    of.read(trace(20_010, ['SYN'], { port: 2 }), 'node-1', 20_010);
    expect(of.overdue(40_000)).toEqual([]);
    of.seen('node-1');
    of.read(trace(40_010, ['SYN'], { port: 3 }), 'node-1', 40_010);
    expect(of.overdue(60_000)).toHaveLength(1);
  });

  it('are the cost that the plan names while an agent restarts that turns off', () => {
    const of = reader({ isExpected: (node, at) => node === 'node-2' && at < 1_000 });
    of.read(trace(10, ['SYN'], { port: 1 }), 'node-1', 10);
    of.read(trace(1_500, ['SYN'], { port: 2 }), 'node-1', 1_500);
    expect(of.overdue(60_000)).toHaveLength(1);
    expect(of.expected).toBe(1);
  });
});
