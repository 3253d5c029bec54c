import { expect, it } from 'vitest';
import type { Flow } from '../../../src/clients/hubble/flow.ts';
import { createFlows } from '../../../src/clients/hubble/flows.ts';
import { joined } from '../../../src/clients/hubble/joined.ts';
import { fixedNodes } from '../../../src/clients/hubble/nodes.ts';
import type { FlowsRequest, Observer } from '../../../src/clients/hubble/observer.ts';
import type { StreamListener } from '../../../src/clients/hubble/stream-listener.ts';
import { SILENT } from '../../../src/log.ts';

function listening() {
  const told: string[] = [];
  const listener: StreamListener = {
    flow: (flow) => void told.push(`flow ${flow.uuid}`),
    gap: (node, _at, reason, lost) => void told.push(`gap ${node} ${reason}${lost === undefined ? '' : ` ${lost}`}`),
    sight: (node) => void told.push(`sight ${node}`),
  };
  return { told, listener };
}

it('a node is seen while both of its streams are', () => {
  const { told, listener } = listening();
  const [one, other] = joined(listener);
  one.gap('node-1', 1, 'connecting');
  other.gap('node-1', 1, 'connecting');
  one.sight('node-1', 2);
  expect(told).toEqual(['gap node-1 connecting', 'gap node-1 connecting']);
  other.sight('node-1', 3);
  expect(told.at(-1)).toBe('sight node-1');
  other.gap('node-1', 4, 'broken');
  one.sight('node-1', 5);
  expect(told.at(-1)).toBe('gap node-1 broken');
  // Another node is another matter.
  one.gap('node-2', 6, 'broken');
  one.sight('node-2', 7);
  expect(told.at(-1)).toBe('sight node-2');
  for (const [nth, stream] of [one, other].entries()) stream.flow({ uuid: `${nth}` } as Flow, 'node-2', 8);
  expect(told.slice(-2)).toEqual(['flow 0', 'flow 1']);
});

it('what an agent says to both that it has lost is lost once; what is lost to one alone, or again, is lost too', () => {
  const { told, listener } = listening();
  const [one, other] = joined(listener);
  one.gap('node-1', 100, 'PERF_EVENT_RING_BUFFER', 7);
  other.gap('node-1', 105, 'PERF_EVENT_RING_BUFFER', 7);
  expect(told).toEqual(['gap node-1 PERF_EVENT_RING_BUFFER 7']);
  other.gap('node-1', 200, 'HUBBLE_RING_BUFFER', 3);
  other.gap('node-1', 300, 'HUBBLE_RING_BUFFER', 3);
  one.gap('node-1', 20_000, 'HUBBLE_RING_BUFFER', 3);
  expect(told.length).toBe(4);
});

it('a stream of answers that breaks while the other one stands is a gap: without it what is answered would be taken for lost', async () => {
  const broken: (() => void)[] = [];
  const observer: Observer = {
    status: async () => ({}),
    flows: ({ whitelist = [] }: FlowsRequest, hear, ended) => {
      hear({ flow: { uuid: crypto.randomUUID(), time: { seconds: Math.floor(Date.now() / 1_000) } } });
      if (JSON.stringify(whitelist).includes('"reply":[true]')) broken.push(() => ended('cut off'));
      return { cancel: () => undefined };
    },
    close: () => undefined,
  };
  const flows = createFlows({ nodes: fixedNodes([{ node: 'node-1', address: 'x' }]), connect: () => observer, now: Date.now, log: SILENT });
  const { told, listener } = listening();
  const end = new AbortController();
  flows.follow(['*'], { ...listener, traces: true, answers: true }, end.signal);
  await expect.poll(() => told.filter((one) => !one.startsWith('flow')).at(-1)).toBe('sight node-1');
  broken.at(-1)?.();
  await expect.poll(() => told.some((one) => one.startsWith('gap node-1') && one.includes('cut off'))).toBe(true);
  end.abort();
  flows.close();
});
