import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { followTraffic } from '../../../activities/encryption/follow-traffic.ts';
import type { Homes } from '../../../activities/encryption/homes.ts';
import { createTrafficReader, UNTOLD_MS } from '../../../activities/encryption/traffic.ts';
import type { Flow } from '../../../src/clients/hubble/flow.ts';
import type { Flows } from '../../../src/clients/hubble/flows.ts';
import type { FlowFollower } from '../../../src/clients/hubble/stream-listener.ts';
import type { Evidence } from '../../../src/domain/judge/evidence.ts';
import { trace } from './traces.ts';

const NODES: Readonly<Record<string, string>> = { '10.0.1.1': 'node-1', '10.0.2.1': 'node-2' };
const homes: Homes = { nodeOf: (address) => NODES[address], unplaced: () => undefined, namespaces: ['shop'], nodes: ['node-1', 'node-2'] };
/** The earlier attempt has heard everything up to then; the worker was away for 10 s. */
const SINCE = 100_000;
const NOW = 110_000;

interface Ring {
  readonly flows?: readonly Flow[];
  readonly tells?: (follower: FlowFollower) => void;
}

beforeEach(() => void vi.useFakeTimers({ now: NOW, toFake: ['setTimeout', 'clearTimeout', 'setImmediate', 'Date', 'performance'] }));
afterEach(() => void vi.useRealTimers());

/** A watch that reads `ring` back, and hears `meanwhile` by its streams before that is done. */
async function watched({ flows = [], tells }: Ring, { resumed = true, since = SINCE, meanwhile = [] as readonly Flow[] } = {}) {
  const heard: Evidence[] = [];
  const end = new AbortController();
  let live: FlowFollower | undefined;
  const asked: { readonly since: number; readonly answers?: boolean | undefined }[] = [];
  const source = {
    follow: (_keys: readonly string[], follower: FlowFollower) => {
      live = follower;
      // A stream that is being opened.
      for (const node of ['node-1', 'node-2']) follower.gap(node, NOW, 'it is being connected');
    },
    replay: async (_keys: readonly string[], from: number, follower: FlowFollower) => {
      asked.push({ since: from, answers: follower.answers });
      for (const flow of flows) follower.flow(flow, 'node-1', NOW);
      tells?.(follower);
      for (const node of ['node-1', 'node-2']) live?.sight(node, NOW);
      for (const flow of meanwhile) live?.flow(flow, 'node-1', NOW);
    },
  } as unknown as Flows;
  const from = resumed ? since - UNTOLD_MS : since;
  const reader = createTrafficReader({
    nodeOf: (address) => homes.nodeOf(address),
    isChanged: () => true,
    isExpected: () => false,
    from,
    heardTo: resumed ? since : undefined,
    proves: () => true,
  });
  const hear = (event: Evidence): void => void heard.push(event);
  await followTraffic(
    { flows: source, now: Date.now },
    { reader, homes, since, watchedTo: since, resumed, signal: end.signal, from },
    hear,
  );
  const atOnce = [...heard];
  const later = async (ms: number) => {
    await vi.advanceTimersByTimeAsync(ms);
    return requests(heard);
  };
  return { atOnce: requests(atOnce), heard, later, asked, traffic: reader.traffic, live: live as FlowFollower, end };
}

function requests(events: readonly Evidence[]) {
  return events.flatMap((event) => (event.kind === 'request' ? [{ failed: event.failed, id: event.id.split(' ').at(-1) }] : []));
}

function answered(at: number, port: number): readonly Flow[] {
  return [trace(at, ['SYN'], { port }), trace(at + 2, ['SYN', 'ACK'], { port, reply: true }), trace(at + 4, ['ACK', 'FIN'], { port })];
}

describe('a watch of encryption that goes on after another attempt', () => {
  it('judges what nobody saw: lost connections are lost, the others are not, each once', async () => {
    const flows = [
      ...answered(102_000, 1),
      trace(104_000, ['SYN'], { port: 2 }),
      trace(105_000, ['SYN'], { port: 2 }),
      ...answered(107_500, 3),
    ];
    const { atOnce, asked, traffic, end } = await watched({ flows });
    expect(asked).toEqual([{ since: SINCE - 60_000, answers: true }]);
    expect(atOnce).toEqual([
      { failed: false, id: '102000' },
      { failed: false, id: '107500' },
      { failed: true, id: '104000' },
    ]);
    expect(traffic.get('node-1 → node-2')).toMatchObject({ begun: 3, answered: 2, lost: 1 });
    end.abort();
  });

  it('does not tell again what the earlier attempt has told', async () => {
    const flows = [
      ...answered(97_000, 1),
      trace(97_500, ['SYN'], { port: 2 }),
      // Not overdue yet when the earlier attempt was last heard of.
      trace(99_000, ['SYN'], { port: 3 }),
      // Answered since.
      trace(99_999, ['SYN'], { port: 4 }),
      trace(100_001, ['SYN', 'ACK'], { port: 4, reply: true }),
      ...answered(108_000, 5),
    ];
    const { atOnce, end } = await watched({ flows });
    expect(atOnce).toEqual([
      { failed: false, id: '99999' },
      { failed: false, id: '108000' },
      { failed: true, id: '99000' },
    ]);
    end.abort();
  });

  it('reads a record once that came by a stream as well, and an answer that only the stream brought', async () => {
    const both = answered(109_000, 1);
    const flows = [...both, trace(109_900, ['SYN'], { port: 2 })];
    const meanwhile = [...both, trace(109_950, ['SYN', 'ACK'], { port: 2, reply: true }), ...answered(110_100, 3)];
    const { later, end } = await watched({ flows }, { meanwhile });
    expect(await later(60_000)).toEqual([
      { failed: false, id: '109000' },
      { failed: false, id: '109900' },
      { failed: false, id: '110100' },
    ]);
    end.abort();
  });

  it('has not seen what the rings have lost of that time, or what cannot be read', async () => {
    const lose = (at: number) => (follower: FlowFollower) => {
      follower.gap('node-1', at, 'PERF_EVENT_RING_BUFFER', 7);
      follower.sight('node-1', NOW);
    };
    const since = await watched({ flows: [trace(104_000, ['SYN'], { port: 2 })], tells: lose(103_000) });
    expect(since.heard).toContainEqual(expect.objectContaining({ kind: 'gap', node: 'node-1', lost: 7 }));
    // Its answer may have been among them.
    expect(await since.later(60_000)).toEqual([]);
    since.end.abort();
    const before = await watched({ tells: lose(SINCE - 1) });
    expect(before.heard).not.toContainEqual(expect.objectContaining({ lost: 7 }));
    before.end.abort();
  });

  it('has not seen what a ring no longer holds', async () => {
    const { heard, end } = await watched({ tells: (follower) => follower.reached?.('node-2', 105_000, 1_000) });
    expect(heard).toContainEqual(expect.objectContaining({ kind: 'gap', node: 'node-2', lost: 1_000, at: 105_000 }));
    end.abort();
    const deep = await watched({ tells: (follower) => follower.reached?.('node-2', SINCE, 1_000) });
    expect(deep.heard).not.toContainEqual(expect.objectContaining({ lost: expect.any(Number) }));
    deep.end.abort();
  });

  it('learns from what is older which connections come to their end', async () => {
    const flows = Array.from({ length: 20 }, (_, port) => answered(60_000 + port * 100, port + 1)).flat();
    const hang = [trace(101_000, ['SYN'], { port: 99 }), trace(101_002, ['SYN', 'ACK'], { port: 99, reply: true })];
    const { atOnce, end } = await watched({ flows: [...flows, ...hang, ...answered(109_000, 50)] });
    expect(atOnce).toEqual([
      { failed: false, id: '101000' },
      { failed: false, id: '109000' },
      { failed: true, id: '101002' },
    ]);
    end.abort();
  });
});

describe('a watch of encryption that begins', () => {
  it('takes what was lost before for no kind that stays open, and what was answered and has not ended for one', async () => {
    const ended = Array.from({ length: 20 }, (_, port) => answered(60_000 + port * 100, port + 1)).flat();
    const first = [98, 99].map((port) => trace(70_000, ['SYN'], { port }));
    const replies = [98, 99].map((port) => trace(70_002, ['SYN', 'ACK'], { port, reply: true }));
    const hangs = async (before: readonly Flow[]) => {
      const { live, later, end } = await watched(
        { flows: [...ended, ...before, ...answered(NOW - 1_000, 50)] },
        { resumed: false, since: NOW - 100 },
      );
      const hang = [
        trace(NOW, ['SYN'], { port: 60 }),
        trace(NOW + 2, ['SYN', 'ACK'], { port: 60, reply: true }),
        ...answered(NOW + 9_000, 61),
      ];
      for (const flow of hang) live.flow(flow, 'node-1', NOW);
      const told = await later(400);
      end.abort();
      return told.some(({ failed }) => failed);
    };
    expect(await hangs(first)).toBe(true);
    expect(await hangs([...first, ...replies])).toBe(false);
  });

  it('only learns from the rings, and hears its streams at once', async () => {
    let asksDepth: boolean | undefined;
    const tells = (follower: FlowFollower): void => {
      asksDepth = 'reached' in follower;
      follower.gap('node-1', NOW, 'it cannot be read', 1);
    };
    const { atOnce, heard, live, end } = await watched({ flows: answered(NOW - 500, 1), tells }, { resumed: false, since: NOW - 100 });
    expect(atOnce).toEqual([]);
    expect(heard).not.toContainEqual(expect.objectContaining({ lost: 1 }));
    for (const flow of answered(NOW + 10, 2)) live.flow(flow, 'node-1', NOW);
    expect(requests(heard)).toEqual([{ failed: false, id: `${NOW + 10}` }]);
    expect(asksDepth).toBe(false);
    end.abort();
  });

  it('reads back what it missed where it was long in opening', async () => {
    const { atOnce, end } = await watched(
      { flows: [...answered(NOW - 9_000, 1), ...answered(NOW - 3_000, 2)] },
      { resumed: false, since: NOW - 5_000 },
    );
    expect(atOnce).toEqual([{ failed: false, id: `${NOW - 3_000}` }]);
    end.abort();
  });
});
