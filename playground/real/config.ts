import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ciliumConfig } from '../cilium/apply-manifests.ts';
import type { HubbleTls } from '../cilium/hubble-tls.ts';

/**
 * The settings of the real nodes, as their cilium-config ConfigMap has them. Tunnel and the rest are Helm's own defaults where a machine like a
 * CI runner can have them; what is off needs more of a kernel, or is of no use here.
 */
export function realConfig(identityMaxJitter: string): Readonly<Record<string, string>> {
  return {
    ...ciliumConfig,
    'auto-direct-node-routes': 'false',
    'bpf-lb-sock': 'false',
    'bpf-map-dynamic-size-ratio': '0.0025',
    'cluster-pool-ipv4-cidr': '10.244.0.0/16',
    devices: 'eth0',
    'enable-bandwidth-manager': 'false',
    'enable-bpf-masquerade': 'false',
    'enable-endpoint-health-checking': 'false',
    'enable-gops': 'false',
    'enable-health-checking': 'false',
    'enable-host-firewall': 'false',
    'enable-ipv4-masquerade': 'true',
    'enable-k8s-networkpolicy': 'true',
    'hubble-metrics': 'drop flow policy',
    'hubble-network-policy-correlation-enabled': 'true',
    'identity-allocation-mode': 'crd',
    'identity-max-jitter': identityMaxJitter,
    ipam: 'kubernetes',
    'kube-proxy-replacement': 'false',
    'preallocate-bpf-maps': 'false',
    'prometheus-serve-addr': ':9962',
    'routing-mode': 'tunnel',
    'synchronize-k8s-nodes': 'true',
    'tofqdns-proxy-port': '0',
    'tunnel-protocol': 'vxlan',
    // The proxy is Debian's or the playground's plain one, or none.
    'disable-envoy-version-check': 'true',
  };
}

/** What an agent knows beside the ConfigMap: paths of this machine. */
export interface Local {
  readonly kubeconfig: string;
  readonly hubble: HubbleTls['agentFiles'];
}

/** Inside a node's mount namespace. */
export const STATE = '/run/cilium';
export const CGROUP_ROOT = `${STATE}/cgroupv2`;
export const LIBRARY = `${STATE}/lib`;

/** Writes the folder that an agent reads: one file for each key, as the ConfigMap is mounted. */
export async function writeAgentConfig(folder: string, config: Readonly<Record<string, string>>, { kubeconfig, hubble }: Local) {
  const all: Readonly<Record<string, string>> = {
    ...config,
    'bpf-root': '/sys/fs/bpf',
    'cgroup-root': CGROUP_ROOT,
    'hubble-socket-path': `${STATE}/hubble.sock`,
    'hubble-tls-cert-file': hubble.certFile,
    'hubble-tls-client-ca-files': hubble.caFile,
    'hubble-tls-key-file': hubble.keyFile,
    'k8s-kubeconfig-path': kubeconfig,
    'lib-dir': LIBRARY,
    'state-dir': STATE,
  };
  await rm(folder, { recursive: true, force: true });
  await mkdir(folder, { recursive: true });
  for (const [key, value] of Object.entries(all)) await writeFile(join(folder, key), value);
}
