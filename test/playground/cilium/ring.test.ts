import { describe, expect, it } from 'vitest';
import type { Flow } from '../../../playground/cilium/flows/flow.ts';
import { createRing } from '../../../playground/cilium/flows/ring.ts';

const flow = (uuid: string) => ({ kind: 'flow', flow: { uuid } as unknown as Flow }) as const;

describe("an agent's ring", () => {
  it('holds the newest, oldest first', () => {
    const ring = createRing({ capacity: 3 });
    for (const uuid of ['a', 'b', 'c', 'd']) ring.push(flow(uuid));
    expect(ring.flows().map(({ uuid }) => uuid)).toEqual(['b', 'c', 'd']);
    expect(ring.seen).toBe(4);
  });

  it('forgets what it held, and nothing of what comes', () => {
    const ring = createRing({ capacity: 3 });
    const heard: string[] = [];
    ring.follow((event) => event.kind === 'flow' && heard.push(event.flow.uuid ?? ''));
    for (const uuid of ['a', 'b', 'c', 'd']) ring.push(flow(uuid));
    ring.forget();
    expect(ring.flows()).toEqual([]);
    for (const uuid of ['e', 'f', 'g', 'h']) ring.push(flow(uuid));
    expect(ring.flows().map(({ uuid }) => uuid)).toEqual(['f', 'g', 'h']);
    expect(heard).toEqual('abcdefgh'.split(''));
    expect(ring.seen).toBe(8);
  });

  it('keeps its newest flow back until the next one is there, from those who follow as well, as Cilium does', () => {
    const ring = createRing({ withholds: true });
    const heard: string[] = [];
    ring.follow((event) => heard.push(event.kind === 'flow' ? (event.flow.uuid ?? '') : event.kind));
    for (const uuid of ['a', 'b']) ring.push(flow(uuid));
    expect([heard, ring.flows().map(({ uuid }) => uuid)]).toEqual([['a'], ['a']]);
    ring.push({ kind: 'lost', source: 'HUBBLE_RING_BUFFER', count: 1, at: 0 });
    ring.push(flow('c'));
    expect(heard).toEqual(['a', 'lost', 'b']);
    ring.forget();
    ring.push(flow('d'));
    expect([heard.length, ring.flows()]).toEqual([3, []]);
  });
});
