import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import type { TrueConnection } from '../../../playground/cilium/connections/connection-truth.ts';
import type { Conntrack } from '../../../playground/cilium/connections/conntrack.ts';
import { createConntrack } from '../../../playground/cilium/connections/conntrack.ts';
import type { Decide } from '../../../playground/cilium/connections/decision.ts';
import type { Wire } from '../../../playground/cilium/connections/wire.ts';
import { createWire } from '../../../playground/cilium/connections/wire.ts';
import type { Flow } from '../../../playground/cilium/flows/flow.ts';
import { createIdentities } from '../../../playground/cilium/identities.ts';
import { createPodBook } from '../../../playground/cilium/pod-book.ts';
import { connection, member, policy, under } from './peers.ts';

const pair = connection(member('backend', 'backend', 'node-1'), member('database', 'database', 'node-2'));
const open = under();
const closed = under(policy('closed', { ingress: [{}] }));

let decide: Decide;
let flows: string[];
let records: TrueConnection[];
let wire: Wire;
let conntrack: Conntrack;

beforeEach(() => {
  vi.useFakeTimers();
  decide = open;
  flows = [];
  records = [];
  wire = createWire({
    swallows: () => false,
    book: createPodBook(createIdentities(), () => ({})),
    agents: { report: (node: string, flow: Flow) => void flows.push(`${node} ${flow.event_type.type} ${flow.verdict}`) },
    decide: (...asked) => decide(...asked),
    uuid: () => 'id',
    now: () => Date.now(),
    connected: (each) => records.push(each),
    pause: (ms) => new Promise((resolve) => setTimeout(() => resolve(true), ms)),
  });
  conntrack = createConntrack(wire);
});

afterEach(() => {
  conntrack.stop();
  vi.useRealTimers();
});

describe('a connection that lives', () => {
  test('gives no verdict while it is allowed, only a trace each way on each node every 5 s', () => {
    const live = conntrack.track(pair, 'pool');
    for (let second = 0; second < 10; second += 1) {
      expect(live.packet()).toBe(true);
      vi.advanceTimersByTime(1_000);
    }
    // At its beginning, after 5 s, after 10 s; out and back; both nodes.
    expect(flows.filter((flow) => flow === 'node-1 4 FORWARDED')).toHaveLength(6);
    expect(flows).toHaveLength(12);
    expect(records).toEqual([]);
  });

  test('breaks on enforcement: each packet gives a verdict and a drop, and it is recorded once', () => {
    const live = conntrack.track(pair, 'pool');
    flows = [];
    decide = closed;
    expect(live.packet()).toBe(false);
    expect(flows).toEqual(['node-2 5 DROPPED', 'node-2 1 DROPPED']);
    vi.advanceTimersByTime(3_400);
    // The first and five retransmissions.
    expect(flows.filter((flow) => flow.includes(' 1 '))).toHaveLength(6);
    expect(records).toMatchObject([{ what: 'established', allowed: false, name: 'pool', port: 5432 }]);
  });

  test('goes on once it is closed with what nobody has acknowledged, until it comes through', () => {
    const live = conntrack.track(pair, 'pool');
    decide = closed;
    live.packet();
    live.close();
    flows = [];
    vi.advanceTimersByTime(2_000);
    expect(flows.filter((flow) => flow.includes(' 1 '))).toHaveLength(4);
    decide = open;
    vi.advanceTimersByTime(2_000);
    decide = closed;
    flows = [];
    vi.advanceTimersByTime(20_000);
    expect(flows).toEqual([]);
  });

  test('goes on when the rules let it again, and is quiet after it was closed', () => {
    const live = conntrack.track(pair, 'pool');
    decide = closed;
    live.packet();
    decide = open;
    flows = [];
    vi.advanceTimersByTime(4_000);
    expect([live.packet(), flows]).toEqual([true, []]);
    live.close();
    vi.advanceTimersByTime(20_000);
    expect([conntrack.size, flows]).toEqual([0, []]);
  });
});

describe('an attempt to connect', () => {
  test('sends a dropped SYN again each second, counts as one, and gives up after the time it has', async () => {
    decide = closed;
    const opened = wire.open(pair, 'hop', 5_000);
    await vi.advanceTimersByTimeAsync(4_999);
    expect(flows.filter((flow) => flow === 'node-2 1 DROPPED')).toHaveLength(5);
    await vi.advanceTimersByTimeAsync(1);
    expect(await opened).toBeUndefined();
    expect(records).toMatchObject([{ allowed: false, what: 'new' }]);
  });

  test('comes up with the SYN that the new rules let through', async () => {
    decide = closed;
    const opened = wire.open(pair, 'hop', 5_000);
    decide = open;
    await vi.advanceTimersByTimeAsync(1_000);
    expect(await opened).toMatchObject({ decision: { ingress: { verdict: 'FORWARDED' } } });
    expect(flows.at(-1)).toBe('node-2 4 FORWARDED');
  });
});
