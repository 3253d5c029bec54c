import { afterEach, describe, expect, it, vi } from 'vitest';
import { followHomes } from '../../../activities/encryption/homes.ts';
import type { Cluster } from '../../../src/clients/kubernetes/cluster.ts';
import type { Evidence } from '../../../src/domain/judge/evidence.ts';

const POD = 40_000;
const OUTSIDE = 16_777_300;

afterEach(() => void vi.useRealTimers());

/** Two nodes, and pods by their address; each listing of endpoints is counted. */
async function places() {
  vi.useFakeTimers();
  const pods = new Map([['10.0.1.1', '192.168.0.1']]);
  const state = { lists: 0, away: false };
  const node = (name: string, ip: string) => ({ metadata: { name }, spec: { addresses: [{ ip }] } });
  const endpoint = ([ipv4, host]: readonly [string, string]) => ({
    metadata: { name: ipv4, namespace: 'shop' },
    status: { networking: { node: host, addressing: [{ ipv4 }] } },
  });
  const list = async (resource: { readonly kind: string }, _where: unknown, options: { readonly part?: (object: unknown) => unknown }) => {
    if (state.away) throw new Error('the API server is away');
    if (resource.kind === 'CiliumNode')
      return { items: [node('node-1', '192.168.0.1'), node('node-2', '192.168.0.2')], resourceVersion: '1' };
    state.lists += 1;
    return { items: [...pods].map((pod) => options.part?.(endpoint(pod))), resourceVersion: '1' };
  };
  const heard: Evidence[] = [];
  const end = new AbortController();
  const homes = await followHomes(
    { cluster: { list } as unknown as Cluster, now: Date.now },
    (event) => void heard.push(event),
    end.signal,
  );
  return { homes, pods, state, heard, end };
}

describe('the places of pods', () => {
  it('are read again where a pod turns up that is not known, and not for addresses outside', async () => {
    const { homes, pods, state } = await places();
    expect(homes.nodeOf('10.0.1.1')).toBe('node-1');
    await vi.advanceTimersByTimeAsync(50_000);
    homes.nodeOf('203.0.113.1', OUTSIDE);
    homes.nodeOf('192.168.0.9', 6);
    await vi.advanceTimersByTimeAsync(5_500);
    expect(state.lists).toBe(1);
    pods.set('10.0.2.9', '192.168.0.2');
    expect(homes.nodeOf('10.0.2.9', POD)).toBeUndefined();
    await vi.advanceTimersByTimeAsync(1_000);
    expect(homes.nodeOf('10.0.2.9', POD)).toBe('node-2');
    expect(state.lists).toBe(2);
  });

  it('are a gap as long as they cannot be read, and no longer', async () => {
    const { state, heard } = await places();
    state.away = true;
    await vi.advanceTimersByTimeAsync(61_000);
    expect(heard).toMatchObject([{ kind: 'gap', node: 'the places of pods', reason: 'the API server is away' }]);
    state.away = false;
    await vi.advanceTimersByTimeAsync(1_000);
    expect(heard.slice(1)).toMatchObject([{ kind: 'sight', node: 'the places of pods' }]);
  });

  it('say which addresses of pods are on no known node, and do not ask for them all the time', async () => {
    const { homes, state } = await places();
    await vi.advanceTimersByTimeAsync(5_000);
    for (let tries = 0; tries < 20; tries += 1) {
      homes.nodeOf('10.0.3.3', POD);
      await vi.advanceTimersByTimeAsync(1_000);
    }
    expect(homes.unplaced()).toBe('1 address of a pod is on no known node');
    expect(state.lists).toBe(2);
  });

  it('are not read after the end', async () => {
    const { state, end } = await places();
    end.abort();
    await vi.advanceTimersByTimeAsync(200_000);
    expect(state.lists).toBe(1);
  });
});
