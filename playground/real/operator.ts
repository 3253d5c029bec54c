import { join } from 'node:path';
import { type Component, startComponent } from '../cluster/component.ts';
import type { Stack } from '../cluster/stack.ts';
import { type Local, writeAgentConfig } from './config.ts';
import type { RealPrograms } from './prepare.ts';

const HEALTH_PORT = 9_234;
const METRICS_PORT = 9_963;
const WITHIN_MS = 60_000;

/** Starts the real operator beside the API server: it says of policies whether they are valid, and makes Envoy's configuration of routes. */
export async function startOperator(
  stack: Pick<Stack, 'dir' | 'warden'>,
  programs: RealPrograms,
  config: Readonly<Record<string, string>>,
  local: Local,
  signal: AbortSignal,
): Promise<Component> {
  const folder = join(stack.dir, 'operator');
  const mine = {
    ...config,
    // Without it the operator leaves Gateways alone; the agents would send the Gateway's address to Cilium's own proxy.
    'kube-proxy-replacement': 'true',
    'operator-api-serve-addr': `127.0.0.1:${HEALTH_PORT}`,
    'operator-prometheus-serve-addr': `127.0.0.1:${METRICS_PORT}`,
    // Nobody else wants to lead here.
    'leader-election-lease-duration': '3s',
    'leader-election-renew-deadline': '2s',
    'leader-election-retry-period': '500ms',
  };
  await writeAgentConfig(folder, mine, local);
  return startComponent(
    stack.warden,
    {
      name: 'cilium-operator',
      command: programs.operator,
      args: [`--config-dir=${folder}`],
      env: { PATH: process.env['PATH'] ?? '', HOME: folder, K8S_NODE_NAME: 'control', CILIUM_K8S_NAMESPACE: 'kube-system' },
      logFile: join(stack.dir, 'cilium-operator.log'),
      readyWithinMs: WITHIN_MS,
      ready: async (asked) => {
        const answer = await fetch(`http://127.0.0.1:${HEALTH_PORT}/healthz`, { signal: asked }).catch(() => undefined);
        return answer?.ok === true;
      },
    },
    signal,
  );
}
