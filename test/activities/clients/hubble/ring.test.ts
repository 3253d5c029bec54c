import { afterEach, expect, test } from 'vitest';
import { fixedNodes } from '../../../../activities/clients/hubble/flows.ts';
import { connectObserver } from '../../../../activities/clients/hubble/observer.ts';
import { readRings } from '../../../../activities/clients/hubble/ring.ts';
import { timestamp } from '../../../../playground/cilium/flows/flow.ts';
import { flow } from '../../../playground/cilium/flows.ts';
import { startAgent } from '../../support/hubble.ts';

const cleanups: (() => void)[] = [];
afterEach(() => {
  for (const cleanup of cleanups.splice(0)) cleanup();
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
