import { afterEach, expect, test } from 'vitest';
import { timestamp } from '../../../playground/cilium/flows/flow.ts';
import { fixedNodes } from '../../../src/clients/hubble/nodes.ts';
import { connectObserver } from '../../../src/clients/hubble/observer.ts';
import { readRings } from '../../../src/clients/hubble/ring.ts';
import { startAgent } from '../../activities/support/hubble.ts';
import { flow } from '../../playground/cilium/flows.ts';

const cleanups: (() => void)[] = [];
afterEach(() => {
  for (const cleanup of cleanups.splice(0)) cleanup();
});

test('a ring that is full reaches back to its oldest flow, and the shortest is named; one that is not, to the start of its agent', async () => {
  const [quiet, busy] = await Promise.all(['node-1', 'node-2'].map((node) => startAgent(node)));
  if (!quiet || !busy) throw new Error('no agents');
  for (const agent of [quiet, busy]) cleanups.push(() => agent.stop());
  const now = Date.now();
  const at = (ms: number) => ({ kind: 'flow' as const, flow: flow({ time: timestamp(ms) }) });
  quiet.ring.push(at(now));
  const deps = (of: readonly (typeof quiet)[]) => ({
    nodes: fixedNodes(of),
    connect: ({ address }: { address: string }) => connectObserver(address),
  });
  const request = { namespaces: ['backend'], since: 0, until: now + 60_000, deadlineMs: 30_000 };
  const alone = await readRings(deps([quiet]), request, new AbortController().signal);
  expect(alone).not.toHaveProperty('shortest');
  expect(alone.reachesTo).toBeLessThanOrEqual(now);
  for (let n = 0; n < 4_095; n++) busy.ring.push(at(now + 30_000 + n));
  const both = await readRings(deps([quiet, busy]), request, new AbortController().signal);
  expect(both).toMatchObject({ reachesTo: now + 30_000, shortest: { node: 'node-2', flows: 4_095 } });
  // The same end of thousands of flows is kept once.
  expect(both.flows.length).toBeGreaterThan(1);
  expect(new Set(both.flows.flatMap(({ source, destination }) => [source, destination])).size).toBe(2);
});

test('reads every ring once: what concerns the namespace, how far back all reach, and which node did not answer', async () => {
  const agents = await Promise.all(['node-1', 'node-2'].map((node) => startAgent(node)));
  for (const agent of agents) cleanups.push(() => agent.stop());
  const [one, two] = agents;
  const at = (second: number, pod: string) => {
    const [namespace = '', pod_name = ''] = pod.split('/');
    const base = flow({ uuid: `${pod}-${second}`, time: timestamp(second * 1_000), event_type: { type: 5 } });
    return {
      kind: 'flow' as const,
      flow: {
        ...base,
        source: { ...base.source, namespace: 'else', pod_name: 'x' },
        destination: { ...base.destination, namespace, pod_name },
      },
    };
  };
  for (const event of [at(10, 'backend/a'), at(100, 'backend/a'), at(101, 'other/b')]) one?.ring.push(event);
  for (const event of [at(60, 'other/b'), at(120, 'backend/c')]) two?.ring.push(event);
  const gone = { node: 'node-3', address: '127.0.0.1:1' };
  const deps = { nodes: fixedNodes([...agents, gone]), connect: ({ address }: { address: string }) => connectObserver(address) };
  const request = { namespaces: ['backend'], since: 90_000, until: 200_000, deadlineMs: 3_000 };
  const read = await readRings(deps, request, new AbortController().signal);
  const uuids = read.flows.map(({ uuid }) => String(uuid));
  expect(uuids.toSorted((a, b) => a.localeCompare(b))).toEqual(['backend/a-100', 'backend/c-120']);
  expect(read).toMatchObject({ nodes: 3, reachesTo: 60_000, lost: 0, cut: false, gaps: [{ node: 'node-3' }] });
});
