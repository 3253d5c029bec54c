import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { connects, decideBy } from '../../../playground/cilium/connections/decision.ts';
import { draw, presets } from '../../../playground/cilium/delays.ts';
import type { KubeObject } from '../../../playground/cilium/kube/types.ts';
import { createRealisation, type Realisation, type TruePolicy } from '../../../playground/cilium/policy/realisation.ts';
import { createRandom } from '../../../playground/cilium/random.ts';
import { connection, member, policy } from './peers.ts';

const database = member('database', 'database', 'node-2');
const backend = member('backend', 'backend', 'node-1');
const kind = 'CiliumNetworkPolicy';
const closed = policy('one', { ingress: [{}] });
const open = policy('one', { ingress: [{ fromEntities: ['all'] }] });

let delays: number[];
let changes: TruePolicy[];
let realisation: Realisation;

beforeEach(() => {
  vi.useFakeTimers();
  delays = [];
  changes = [];
  realisation = createRealisation({
    nodes: ['node-1', 'node-2'],
    delay: () => delays.shift() ?? 10,
    services: () => [],
    now: () => Date.now(),
    onInForce: (change) => changes.push(change),
  });
});

afterEach(() => {
  realisation.stop();
  vi.useRealTimers();
});

const passes = (): boolean => connects(decideBy((node) => realisation.at(node))(connection(backend, database)));
const see = (object: KubeObject | undefined): void => realisation.seen(kind, 'database/one', object);

describe('a policy', () => {
  test('is in force on each node after a delay of its own, and not before', () => {
    delays = [5, 100];
    see(closed);
    vi.advanceTimersByTime(99);
    expect([passes(), changes.map(({ node }) => node)]).toEqual([true, ['node-1']]);
    vi.advanceTimersByTime(1);
    expect(passes()).toBe(false);
    const [first, second] = changes;
    expect([(first?.inForceAt ?? 0) - (first?.seenAt ?? 0), (second?.inForceAt ?? 0) - (second?.seenAt ?? 0)]).toEqual([5, 100]);
  });

  test('that is overtaken by a newer version on its way does not come back', () => {
    delays = [1, 100, 1, 20];
    see(closed);
    see(open);
    vi.advanceTimersByTime(200);
    expect(passes()).toBe(true);
    expect(changes.filter(({ node }) => node === 'node-2')).toHaveLength(1);
  });

  test('that the engine refuses changes nothing', () => {
    see(closed);
    vi.advanceTimersByTime(10);
    see(policy('one', { ingress: [] }));
    vi.advanceTimersByTime(10);
    expect([passes(), changes]).toEqual([false, expect.objectContaining({ length: 2 })]);
  });

  test('that is deleted is gone after a delay too, and each change moves the revision of the node', () => {
    const before = realisation.at('node-2').revision;
    see(closed);
    vi.advanceTimersByTime(10);
    see(undefined);
    expect(passes()).toBe(false);
    vi.advanceTimersByTime(10);
    expect([passes(), realisation.at('node-2').revision - before]).toEqual([true, 2]);
  });
});

test('both presets keep a policy waiting', () => {
  const random = createRandom(3);
  for (const preset of ['ideal', 'cluster'] as const) {
    const drawn = Array.from({ length: 500 }, () => draw(presets[preset].policy, random)).toSorted((one, other) => one - other);
    const { median, max } = presets[preset].policy;
    expect((drawn[250] ?? 0) / median).toBeCloseTo(1, 0);
    expect(drawn.at(-1)).toBeLessThanOrEqual(max);
    expect(drawn[0]).toBeGreaterThan(0);
  }
});
