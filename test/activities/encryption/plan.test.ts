import { describe, expect, it } from 'vitest';
import { planNodes } from '../../../activities/encryption/plan.ts';
import type { VerbDeps } from '../../../activities/watch/verb-steps.ts';
import type { PlanInput } from '../../../src/domain/lifecycle/contract.ts';
import { SILENT } from '../../../src/log.ts';

const NODES = ['node-1', 'node-2', 'node-3'];
const AGENT = { 'k8s-app': 'cilium' };
const READY = { conditions: [{ type: 'Ready', status: 'True' }] };

function objects(allowed: number): Readonly<Record<string, readonly object[]>> {
  const image = { name: 'cilium-agent', image: 'cilium:v1.20.2' };
  return {
    CiliumNode: NODES.map((name, n) => ({ metadata: { name }, spec: { addresses: [{ ip: `192.168.0.${n}` }] } })),
    Node: NODES.map((name) => ({ metadata: { name, labels: {} }, status: { ...READY, nodeInfo: { kernelVersion: '6.1.0' } } })),
    Pod: NODES.map((name) => ({
      metadata: {
        name: `cilium-${name}`,
        namespace: 'kube-system',
        uid: name,
        labels: AGENT,
        ownerReferences: [{ kind: 'DaemonSet', uid: 'ds' }],
      },
      spec: { nodeName: name, containers: [image] },
      status: READY,
    })),
    PodDisruptionBudget: [
      { metadata: { name: 'agents' }, spec: { selector: { matchLabels: AGENT } }, status: { disruptionsAllowed: allowed } },
    ],
  };
}

function planned(routing: 'native' | 'tunnel', allowed: number) {
  const set = {
    spec: { template: { spec: { containers: [], initContainers: [{ name: 'config', command: ['cilium-dbg', 'build-config'] }] } } },
  };
  const found = objects(allowed);
  const cluster = {
    read: async ({ kind }: { kind: string }) => {
      if (kind === 'DaemonSet') return { metadata: { name: 'cilium' }, ...set };
      return kind === 'ConfigMap' ? { metadata: { name: 'cilium-config', uid: 'config' }, data: { 'routing-mode': routing } } : undefined;
    },
    list: async ({ kind }: { kind: string }) => ({ items: found[kind] ?? [], resourceVersion: '1' }),
    mayI: async () => ({ allowed: false }),
  };
  const deps = { cluster, now: Date.now, log: SILENT, audit: { holds: async () => false } } as unknown as VerbDeps;
  const window = routing === 'tunnel' ? { window: true } : {};
  const request = {
    target: { cluster: 'demo', namespace: '*', name: '*' },
    verb: 'encryption',
    requester: { id: 'operator@example.com' },
    change: { kind: 'on', mode: 'wireguard', ...window },
    settings: { tunnelWindow: 'allowed', realiseMs: 30_000 },
  };
  return planNodes(deps, { request, opId: 'encryption-1', firstStage: 1 } as unknown as PlanInput, new AbortController().signal);
}

describe('a plan of encryption', () => {
  it('is refused for a window of which a PodDisruptionBudget does not let all agents go at once', async () => {
    const words =
      'PodDisruptionBudget kube-system/agents lets 2 of 3 agents go at once, and in tunnel mode all restart together. Raise it for the time of the change, then run the command again. Nothing was changed.';
    expect(await planned('tunnel', 2)).toMatchObject({ kind: 'impossible', code: 'NotSafe', words });
  });

  it('goes on to the rights where the budget lets them, and node by node where it lets one', async () => {
    for (const one of [planned('tunnel', 3), planned('native', 1)]) expect(await one).toMatchObject({ code: 'NoIdentity' });
  });
});
