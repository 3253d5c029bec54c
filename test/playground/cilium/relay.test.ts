import { afterEach, expect, test, vi } from 'vitest';
import { type Peer, startRelay } from '../../../playground/cilium/flows/relay.ts';
import { createRing } from '../../../playground/cilium/flows/ring.ts';
import { createSortBuffer } from '../../../playground/cilium/flows/sort-buffer.ts';
import type { GetFlowsResponse } from '../../../src/clients/hubble/flow.ts';
import { connectObserver } from '../../../src/clients/hubble/observer.ts';
import { answerFlow } from '../../activities/support/hubble.ts';

const cleanups: (() => void)[] = [];
afterEach(() => {
  vi.useRealTimers();
  for (const cleanup of cleanups.splice(0)) cleanup();
});

test('the buffer lets the oldest go when it is full, and what is old a second after the last arrival', () => {
  vi.useFakeTimers({ now: 0 });
  const out: string[] = [];
  const buffer = createSortBuffer<string>({ capacity: 2, drainMs: 1_000, now: Date.now, out: (item) => void out.push(item) });
  buffer.push(20, 'b');
  buffer.push(10, 'a');
  expect(out).toEqual([]);
  buffer.push(30, 'c');
  expect(out).toEqual(['a']);
  vi.advanceTimersByTime(999);
  buffer.push(40, 'd');
  expect(out).toEqual(['a', 'b']);
  // The timer has begun anew with the last arrival.
  vi.advanceTimersByTime(999);
  expect(out).toEqual(['a', 'b']);
  vi.advanceTimersByTime(1);
  expect(out).toEqual(['a', 'b', 'c', 'd']);
  buffer.stop();
});

function peerOf(name: string) {
  let up = true;
  const away = new Set<() => void>();
  const peer: Peer = {
    name,
    ring: createRing(),
    isAvailable: () => up,
    onAway: (listener) => {
      away.add(listener);
      return () => away.delete(listener);
    },
  };
  const set = (available: boolean): void => {
    up = available;
    if (!available) for (const listener of away) listener();
  };
  return { ...peer, set };
}

test('flows of all nodes come through one stream; who is away is named, and joins again within two seconds', async () => {
  const [one, two] = [peerOf('node-1'), peerOf('node-2')];
  two.set(false);
  const relay = await startRelay({ peers: [one, two], now: Date.now, delay: () => 0, sortBuffer: { capacity: 1, drainMs: 50 } });
  const observer = connectObserver(relay.address);
  cleanups.push(
    () => relay.stop(),
    () => observer.close(),
  );
  expect(await observer.status(1_000)).toMatchObject({ unavailable_nodes: ['node-2'] });
  const heard: GetFlowsResponse[] = [];
  const stream = observer.flows(
    { follow: true, since: Date.now() },
    (response) => void heard.push(response),
    () => undefined,
  );
  cleanups.push(() => stream.cancel());
  const statuses = () =>
    heard.flatMap(({ node_status }) => (node_status ? [`${node_status.state_change} ${String(node_status.node_names)}`] : []));
  await expect.poll(statuses).toEqual(['NODE_CONNECTED node-1', 'NODE_UNAVAILABLE node-2']);
  const nodes = () => heard.flatMap(({ flow, node_name }) => (flow ? [node_name] : []));
  one.ring.push({ kind: 'flow', flow: answerFlow('node-1') });
  await expect.poll(nodes).toEqual(['node-1']);
  two.set(true);
  two.ring.push({ kind: 'flow', flow: answerFlow('node-2', { at: Date.now() + 1 }) });
  await expect.poll(nodes, { timeout: 4_000 }).toEqual(['node-1', 'node-2']);
  two.set(false);
  await expect.poll(statuses).toContain('NODE_ERROR node-2');
});
