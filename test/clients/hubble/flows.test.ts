import { afterEach, expect, test } from 'vitest';
import { replayNode } from '../../../src/clients/hubble/ask.ts';
import { type Flow, millisecondsOf } from '../../../src/clients/hubble/flow.ts';
import { createFlows, type Flows } from '../../../src/clients/hubble/flows.ts';
import { fixedNodes, type HubbleNode } from '../../../src/clients/hubble/nodes.ts';
import { connectObserver, type Observer } from '../../../src/clients/hubble/observer.ts';
import { SILENT } from '../../../src/log.ts';
import { answerFlow, startAgent } from '../../activities/support/hubble.ts';

const cleanups: (() => void)[] = [];
afterEach(() => {
  for (const cleanup of cleanups.splice(0)) cleanup();
});

type Agent = Awaited<ReturnType<typeof startAgent>>;

async function startAgents(...names: readonly string[]): Promise<readonly Agent[]> {
  const agents = await Promise.all(names.map((node) => startAgent(node)));
  for (const agent of agents) cleanups.push(() => agent.stop());
  return agents;
}

function flowsOf(agents: readonly Agent[], now: () => number = Date.now): Flows {
  const flows = createFlows({ nodes: fixedNodes(agents), now, log: SILENT });
  cleanups.push(() => flows.close());
  return flows;
}

function follow(flows: Flows, keys: readonly string[]) {
  const heard: Flow[] = [];
  const news: string[] = [];
  const patience: (number | undefined)[] = [];
  const stop = new AbortController();
  cleanups.push(() => stop.abort());
  flows.follow(
    keys,
    {
      flow: (flow) => void heard.push(flow),
      gap: (node, _at, reason, lost, patienceMs) => {
        news.push(`gap ${node} ${lost === undefined ? '' : `lost ${lost} `}${reason}`);
        patience.push(patienceMs);
      },
      sight: (node) => void news.push(`sight ${node}`),
    },
    stop.signal,
  );
  const seen = (node: string) => expect.poll(() => news.filter((each) => each.includes(` ${node}`)).at(-1)).toBe(`sight ${node}`);
  return { heard, news, patience, seen, stop };
}

function push(agent: Agent, flow = answerFlow(agent.node)) {
  agent.ring.push({ kind: 'flow', flow });
  return flow;
}

test('two watches share one stream per node, and each hears only what concerns it', async () => {
  const [one, two] = (await startAgents('node-1', 'node-2')) as [Agent, Agent];
  const flows = flowsOf([one, two]);
  const backend = follow(flows, ['backend']);
  const other = follow(flows, ['frontend', '10.9.9.9']);
  await backend.seen('node-1');
  await backend.seen('node-2');
  push(one);
  push(two);
  push(two, answerFlow('node-2', { namespace: 'database', address: '10.9.9.9' }));
  await expect.poll(() => backend.heard.length).toBe(2);
  await expect.poll(() => other.heard.map(({ IP }) => IP?.source)).toEqual(['10.9.9.9']);
});

test('a stream that broke goes on where it was: what came meanwhile is heard once, nothing twice', async () => {
  const [agent] = (await startAgents('node-1')) as [Agent];
  const { heard, news, seen } = follow(flowsOf([agent]), ['backend']);
  await seen('node-1');
  const before = push(agent);
  await expect.poll(() => heard.length).toBe(1);
  agent.stop();
  await expect.poll(() => news.at(-1)).toMatch(/^gap node-1/);
  const meanwhile = push(agent);
  await agent.restart();
  await seen('node-1');
  const after = push(agent);
  await expect.poll(() => heard.map(({ uuid }) => uuid)).toEqual([before.uuid, meanwhile.uuid, after.uuid]);
  expect(news.some((each) => each.includes('lost'))).toBe(false);
});

test('an agent that lost its ring while it was away is told as lost events', async () => {
  const [agent] = (await startAgents('node-1')) as [Agent];
  const { heard, news, seen } = follow(flowsOf([agent]), ['backend']);
  await seen('node-1');
  push(agent);
  await expect.poll(() => heard.length).toBe(1);
  agent.stop();
  for (let n = 0; n < 4_095; n++) push(agent, answerFlow('node-1', { namespace: 'elsewhere' }));
  await agent.restart();
  await expect.poll(() => news.some((each) => each.startsWith('gap node-1 lost 1'))).toBe(true);
});

test('one record of the future, of a clock that was put right since, hides nothing that comes after a break', async () => {
  const [agent] = (await startAgents('node-1')) as [Agent];
  const { heard, news, seen } = follow(flowsOf([agent]), ['backend']);
  await seen('node-1');
  push(agent, answerFlow('node-1', { at: Date.now() + 3_600_000 }));
  push(agent);
  await expect.poll(() => heard.length).toBe(2);
  agent.stop();
  await expect.poll(() => news.at(-1)).toMatch(/^gap node-1/);
  await agent.restart();
  await seen('node-1');
  const after = push(agent);
  await expect.poll(() => heard.at(-1)?.uuid).toBe(after.uuid);
});

test('a node whose clock is behind is heard from its first record on, and said to be late', async () => {
  const [agent] = (await startAgents('node-1')) as [Agent];
  const behind = { at: Date.now() - 60_000 };
  push(agent, answerFlow('node-1', behind));
  const { heard, news, seen } = follow(flowsOf([agent]), ['backend']);
  await seen('node-1');
  await expect
    .poll(
      () => {
        push(agent, answerFlow('node-1', { at: Date.now() - 60_000 }));
        return news.at(-1);
      },
      { timeout: 10_000 },
    )
    .toMatch(/^gap node-1 late/);
  expect(heard.length).toBeGreaterThan(0);
});

test('a record of the future is of now, and its node is said to have a clock that is ahead', async () => {
  const [agent] = (await startAgents('node-1')) as [Agent];
  const { heard, news, seen } = follow(flowsOf([agent]), ['backend']);
  await seen('node-1');
  push(agent, answerFlow('node-1', { at: Date.now() + 3_650_000 }));
  await expect.poll(() => news.at(-1)).toMatch(/^gap node-1 its clock is 36\d\d.\d s ahead/);
  expect(millisecondsOf(heard[0]?.time)).toBeLessThanOrEqual(Date.now());
  push(agent);
  await seen('node-1');
});

test('lost events are told with their number, and that the node is seen again', async () => {
  const [agent] = (await startAgents('node-1')) as [Agent];
  const { news, seen } = follow(flowsOf([agent]), ['backend']);
  await seen('node-1');
  agent.ring.push({ kind: 'lost', source: 'PERF_EVENT_RING_BUFFER', count: 37, at: Date.now() });
  await expect.poll(() => news.slice(-2)).toEqual(['gap node-1 lost 37 PERF_EVENT_RING_BUFFER', 'sight node-1']);
});

test('what was lost before a watch is nothing to it, and what is told once more after a reconnect is no second loss', async () => {
  const [agent] = (await startAgents('node-1')) as [Agent];
  agent.ring.push({ kind: 'lost', source: 'PERF_EVENT_RING_BUFFER', count: 11, at: Date.now() - 60_000 });
  push(agent);
  const { news, heard, seen } = follow(flowsOf([agent]), ['backend']);
  await seen('node-1');
  push(agent);
  await expect.poll(() => heard.length).toBeGreaterThan(0);
  expect(news.filter((one) => one.includes('lost'))).toEqual([]);
  agent.ring.push({ kind: 'lost', source: 'PERF_EVENT_RING_BUFFER', count: 37, at: Date.now() });
  await expect.poll(() => news.filter((one) => one.includes('lost'))).toEqual(['gap node-1 lost 37 PERF_EVENT_RING_BUFFER']);
  agent.stop();
  await expect.poll(() => news.at(-1)).toMatch(/^gap node-1 /);
  await agent.restart();
  await seen('node-1');
  push(agent);
  await expect.poll(() => heard.length).toBe(2);
  expect(news.filter((one) => one.includes('lost'))).toHaveLength(1);
});

test('who goes on elsewhere hears what was lost meanwhile, and not what was lost before', async () => {
  const [agent] = (await startAgents('node-1')) as [Agent];
  const since = Date.now() - 10_000;
  agent.ring.push({ kind: 'lost', source: 'PERF_EVENT_RING_BUFFER', count: 11, at: since - 5_000 });
  agent.ring.push({ kind: 'lost', source: 'PERF_EVENT_RING_BUFFER', count: 37, at: since + 5_000 });
  push(agent);
  const told: string[] = [];
  const follower = (from: number) => ({
    flow: () => undefined,
    gap: (node: string, _at: number, reason: string, lost?: number) => void told.push(`${from} ${node} ${lost} ${reason}`),
    sight: () => undefined,
  });
  const { signal } = new AbortController();
  const flows = flowsOf([agent]);
  await Promise.all([flows.replay(['backend'], since, follower(1), signal), flows.replay(['backend'], since + 8_000, follower(2), signal)]);
  expect(told).toEqual(['1 node-1 37 PERF_EVENT_RING_BUFFER']);
});

test('records that are late say so, and say when they are not any more', async () => {
  let ahead = 0;
  const [agent] = (await startAgents('node-1')) as [Agent];
  const { heard, news, seen } = follow(
    flowsOf([agent], () => Date.now() + ahead),
    ['backend'],
  );
  await seen('node-1');
  push(agent);
  await expect.poll(() => heard.length).toBe(1);
  ahead = 3_000;
  push(agent);
  await expect.poll(() => news.at(-1)).toMatch(/^gap node-1 late/);
  ahead = 0;
  push(agent);
  await seen('node-1');
});

test('who goes on elsewhere can read back what the rings still hold', async () => {
  const [agent] = (await startAgents('node-1')) as [Agent];
  const flows = flowsOf([agent]);
  const since = Date.now() - 5_000;
  push(agent, answerFlow('node-1', { at: since - 1_000 }));
  const held = push(agent, answerFlow('node-1', { at: since + 1_000 }));
  push(agent, answerFlow('node-1', { at: since + 1_000, namespace: 'elsewhere' }));
  const heard: (string | undefined)[] = [];
  const follower = { flow: ({ uuid }: Flow) => void heard.push(uuid), gap: () => {}, sight: () => {} };
  await flows.replay(['backend'], since, follower, new AbortController().signal);
  expect(heard).toEqual([held.uuid]);
});

function traceFlow(is_reply: boolean, flags: Readonly<Partial<Record<'SYN' | 'ACK' | 'PSH' | 'FIN', boolean>>>, at = Date.now()) {
  const { l7: _, ...rest } = answerFlow('node-1', { at });
  return {
    ...rest,
    Type: 'L3_L4' as const,
    event_type: { type: 4, sub_type: 0 },
    trace_observation_point: 'TO_ENDPOINT',
    l4: { TCP: { source_port: 41_000, destination_port: 8_080, flags } },
    is_reply: { value: is_reply },
  } satisfies ReturnType<typeof answerFlow>;
}

test('traces come to those alone who ask for them: how connections begin, and out of a ring all of their way there', async () => {
  const [agent] = (await startAgents('node-1')) as [Agent];
  const flows = flowsOf([agent]);
  const since = Date.now() - 5_000;
  const begun = push(agent, traceFlow(false, { SYN: true }, since + 1_000));
  const goesOn = push(agent, traceFlow(false, { ACK: true, PSH: true }, since + 1_001));
  push(agent, traceFlow(true, { SYN: true, ACK: true }, since + 1_002));
  const live: Record<'plain' | 'traced' | 'plainRing' | 'tracedRing', (string | undefined)[]> = {
    plain: [],
    traced: [],
    plainRing: [],
    tracedRing: [],
  };
  const into = (name: keyof typeof live, traces: boolean) => ({
    traces,
    flow: ({ uuid }: Flow) => void live[name].push(uuid),
    gap: () => {},
    sight: () => {},
  });
  const stop = new AbortController();
  cleanups.push(() => stop.abort());
  flows.follow(['backend'], into('plain', false), stop.signal);
  flows.follow(['backend'], into('traced', true), stop.signal);
  await Promise.all([
    flows.replay(['backend'], since, into('plainRing', false), stop.signal),
    flows.replay(['backend'], since, into('tracedRing', true), stop.signal),
  ]);
  expect(live).toMatchObject({ plainRing: [], tracedRing: [begun.uuid, goesOn.uuid] });
  // Streams are open once the newest record has come through both.
  await expect
    .poll(() => {
      push(agent, traceFlow(false, { SYN: true }));
      return live.traced.length;
    })
    .toBeGreaterThan(0);
  push(agent, traceFlow(false, { ACK: true }));
  push(agent, traceFlow(true, { SYN: true, ACK: true }));
  const last = push(agent, traceFlow(false, { SYN: true }));
  await expect.poll(() => live.traced.at(-1)).toBe(last.uuid);
  expect(live.plain).toEqual([]);
});

test('every agent is asked, and one that does not answer is named', async () => {
  const [one, two] = (await startAgents('node-1', 'node-2')) as [Agent, Agent];
  two.stop();
  const answers = await flowsOf([one, two]).check(new AbortController().signal);
  expect(answers).toEqual([{ node: 'node-1' }, { node: 'node-2', problem: expect.stringMatching(/.+/) }]);
});

test('a node that Relay does not reach is a gap, and is seen again once Relay says so', async () => {
  let missing: readonly string[] = [];
  const observer: Observer = {
    status: async () => ({ unavailable_nodes: missing }),
    flows: () => ({ cancel: () => undefined }),
    close: () => undefined,
  };
  const flows = createFlows({ nodes: fixedNodes([{ node: 'relay', address: 'x' }]), now: Date.now, log: SILENT, connect: () => observer });
  cleanups.push(() => flows.close());
  const { news, seen } = follow(flows, ['backend']);
  await seen('relay');
  missing = ['node-2'];
  await expect.poll(() => news.at(-1), { timeout: 3_000 }).toBe('gap node-2 Relay does not reach it');
  missing = [];
  await expect.poll(() => news.at(-1), { timeout: 3_000 }).toBe('sight node-2');
});

test('an agent that does not answer for a while keeps its stream: it is silent, then seen again, and nothing is lost', async () => {
  let silent = false;
  let opened = 0;
  const observer: Observer = {
    status: async () => {
      if (silent) throw new Error('Deadline exceeded');
      return {};
    },
    flows: () => {
      opened += 1;
      return { cancel: () => undefined };
    },
    close: () => undefined,
  };
  const flows = createFlows({ nodes: fixedNodes([{ node: 'node-1', address: 'x' }]), now: Date.now, log: SILENT, connect: () => observer });
  cleanups.push(() => flows.close());
  const { news, seen, patience } = follow(flows, ['backend']);
  await seen('node-1');
  silent = true;
  await expect.poll(() => news.at(-1), { timeout: 3_000 }).toBe('gap node-1 Deadline exceeded');
  expect(patience.at(-1)).toBeGreaterThanOrEqual(5_000);
  silent = false;
  await expect.poll(() => news.at(-1), { timeout: 3_000 }).toBe('sight node-1');
  expect(opened).toBe(1);
  // One that stays silent is asked anew on a stream of its own.
  silent = true;
  await expect.poll(() => news.filter((each) => each.startsWith('gap')).length, { timeout: 10_000 }).toBeGreaterThan(4);
  silent = false;
  await expect.poll(() => opened, { timeout: 3_000 }).toBe(2);
}, 20_000);

test('many watches that resume at once read each node once', async () => {
  const [agent] = (await startAgents('node-1')) as [Agent];
  const since = Date.now() - 1_000;
  push(agent);
  let connections = 0;
  const connect = (node: HubbleNode): Observer => {
    connections += 1;
    return connectObserver(node.address);
  };
  const flows = createFlows({ nodes: fixedNodes([agent]), now: Date.now, log: SILENT, connect });
  const heard: number[] = [];
  const follower = (nth: number) => ({ flow: () => void heard.push(nth), gap: () => {}, sight: () => {} });
  await Promise.all(Array.from({ length: 50 }, (_, nth) => flows.replay(['backend'], since, follower(nth), new AbortController().signal)));
  expect(heard).toHaveLength(50);
  expect(connections).toBe(1);
});

test.each([
  ['is busy itself has that much longer to connect', 0.5, true],
  ['is not busy has not', 0, false],
])('a process that %s', async (_, share, isExcused) => {
  const observer: Observer = { status: () => new Promise(() => undefined), flows: () => ({ cancel: () => {} }), close: () => undefined };
  const flows = createFlows({
    nodes: fixedNodes([{ node: 'node-1', address: 'x' }]),
    now: Date.now,
    log: SILENT,
    connect: () => observer,
    ownDelay: { within: (ms) => ms * share, close: () => undefined },
  });
  cleanups.push(() => flows.close());
  const { news, patience } = follow(flows, ['backend']);
  await expect.poll(() => news.length, { timeout: 1_000 }).toBeGreaterThan(isExcused ? 2 : 0);
  expect(new Set(news)).toEqual(new Set(['gap node-1 connecting']));
  // At 2 s it would be blind: it was away for half of the time by then.
  expect(patience.some((ms) => ms !== undefined && ms >= 2_100)).toBe(isExcused);
});

test('a ring is read for as long as this process is the one that is late, and given up when the agent is', async () => {
  const slow = (share: number): Promise<readonly string[]> => {
    const observer: Observer = {
      status: async () => ({}),
      flows: (_request, _hear, ended) => {
        const timer = setTimeout(() => ended(), 3_800);
        return { cancel: () => clearTimeout(timer) };
      },
      close: () => undefined,
    };
    const told: string[] = [];
    const follower = {
      flow: () => undefined,
      gap: (_node: string, _at: number, reason: string) => void told.push(reason),
      sight: () => undefined,
    };
    const deps = { connect: () => observer, now: Date.now, ownDelay: { within: (ms: number) => ms * share } };
    const node = { node: 'node-1', address: 'x' };
    return replayNode(
      deps,
      node,
      Date.now() - 1_000,
      { keys: new Set(['backend']), traced: [] },
      follower,
      new AbortController().signal,
    ).then(() => told);
  };
  const [busy, idle] = await Promise.all([slow(0.5), slow(0)]);
  expect(busy).toEqual([]);
  expect(idle).toEqual([expect.stringContaining('no answer in time')]);
}, 15_000);

test('answers come out of a ring to those alone who ask for them', async () => {
  const [agent] = (await startAgents('node-1')) as [Agent];
  const flows = flowsOf([agent]);
  const since = Date.now() - 5_000;
  const begun = push(agent, traceFlow(false, { SYN: true }, since + 1_000));
  const answer = push(agent, traceFlow(true, { SYN: true, ACK: true }, since + 1_001));
  push(agent, traceFlow(true, { ACK: true, PSH: true }, since + 1_002));
  const end = push(agent, traceFlow(true, { ACK: true, FIN: true }, since + 1_003));
  const heard: Record<'answers' | 'traces', (string | undefined)[]> = { answers: [], traces: [] };
  const into = (name: keyof typeof heard) => ({
    traces: true,
    answers: name === 'answers',
    flow: ({ uuid }: Flow) => void heard[name].push(uuid),
    gap: () => {},
    sight: () => {},
  });
  const { signal } = new AbortController();
  // Read together, and told apart.
  await Promise.all([flows.replay(['backend'], since, into('answers'), signal), flows.replay(['backend'], since, into('traces'), signal)]);
  expect(heard).toEqual({ answers: [begun.uuid, answer.uuid, end.uuid], traces: [begun.uuid] });
});

test('how far back a ring reaches is told to those who ask: one that is full no further than its oldest record', async () => {
  const [full, young] = (await startAgents('node-1', 'node-2')) as [Agent, Agent];
  const flows = flowsOf([full, young]);
  const startedAt = Date.now();
  for (let n = 0; n < 4_095; n++) full.ring.push({ kind: 'flow', flow: answerFlow('node-1', { at: startedAt + 30_000 + n }) });
  const reached = new Map<string, number>();
  const follower = { flow: () => undefined, gap: () => undefined, sight: () => undefined };
  const asks = { ...follower, reached: (node: string, at: number) => void reached.set(node, at) };
  const { signal } = new AbortController();
  await flows.replay(['backend'], startedAt - 60_000, follower, signal);
  expect(reached.size).toBe(0);
  await flows.replay(['backend'], startedAt - 60_000, asks, signal);
  expect(reached.get('node-1')).toBe(startedAt + 30_000);
  expect(reached.get('node-2')).toBeLessThanOrEqual(Date.now());
});
