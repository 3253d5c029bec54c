import { afterEach, expect, it, vi } from 'vitest';
import { encryptionWatching } from '../../../activities/encryption/evidence.ts';
import type { Flows } from '../../../src/clients/hubble/flows.ts';
import type { Cluster } from '../../../src/clients/kubernetes/cluster.ts';
import { ClusterFailure } from '../../../src/clients/kubernetes/failure.ts';
import type { Evidence } from '../../../src/domain/judge/evidence.ts';
import type { WatchInput } from '../../../src/domain/lifecycle/contract.ts';
import { SILENT } from '../../../src/log.ts';

afterEach(() => void vi.useRealTimers());

const details = {
  opId: 'encryption-1',
  change: 'on',
  mode: 'wireguard',
  namespace: 'kube-system',
  mostAway: 1,
  nodes: { 1: ['node-1'] },
  agentMs: 90_000,
  endStage: 2,
};
const input = {
  opId: 'encryption-1',
  purpose: 'stage',
  target: { cluster: 'demo' },
  plan: { details },
  stage: { number: 1 },
} as unknown as WatchInput;

it('agents that cannot be read are a gap: what was proved before says nothing of now', async () => {
  vi.useFakeTimers();
  let away = false;
  const asked = async <T>(answer: T): Promise<T> => {
    if (away) throw new ClusterFailure('Timeout', 'no answer within 5 s');
    return answer;
  };
  const node = { metadata: { name: 'node-1' }, spec: { addresses: [{ ip: '192.168.0.1' }] } };
  const cluster = {
    read: async ({ kind }: { kind: string }) => asked(kind === 'ConfigMap' ? { metadata: { name: 'cilium-config' }, data: {} } : undefined),
    list: async ({ kind }: { kind: string }) => asked({ items: kind === 'CiliumNode' ? [node] : [], resourceVersion: '1' }),
  } as unknown as Cluster;
  const flows = { follow: () => undefined, replay: async () => undefined } as unknown as Flows;
  const heard: Evidence[] = [];
  const end = new AbortController();
  const hear = (event: Evidence): void => void heard.push(event);
  const options = { since: Date.now(), watchedTo: Date.now(), resumed: false, signal: end.signal };
  await encryptionWatching({ cluster, flows, now: Date.now, log: SILENT }).open(input, hear, options);
  await vi.advanceTimersByTimeAsync(1_500);
  expect(heard.at(-1)).toMatchObject({ kind: 'proof', proof: { kind: 'not-yet' } });
  away = true;
  await vi.advanceTimersByTimeAsync(5_000);
  expect(heard.at(-1)).toMatchObject({ kind: 'gap', node: 'agents and their objects', reason: 'no answer within 5 s' });
  away = false;
  await vi.advanceTimersByTimeAsync(2_000);
  const kinds = heard.map(({ kind }) => kind);
  expect(kinds.slice(kinds.indexOf('gap'))).toEqual(['gap', 'proof', 'sight', 'proof']);
  end.abort();
});
