import type { EncryptionFacts, NodeFacts, NodeOverride, Settings } from './facts.ts';

export type Mode = 'off' | 'wireguard' | 'ipsec' | 'ztunnel';

/** `both`: more than one is turned on, which no agent takes. */
export type Configured = Mode | 'both';

/** Keys of cilium-config that turn a mode on. */
export const SWITCHES = { wireguard: 'enable-wireguard', ipsec: 'enable-ipsec', ztunnel: 'enable-ztunnel' } as const;

/** Every key of cilium-config that belongs to encryption (Cilium 1.20, Documentation/cmdref/cilium-agent.md). */
export const ENCRYPTION_KEYS: readonly string[] = [
  ...Object.values(SWITCHES),
  'encrypt-node',
  'node-encryption-opt-out-labels',
  'wireguard-persistent-keepalive',
  'ipsec-key-file',
  'enable-ipsec-key-watcher',
  'ipsec-key-rotation-duration',
  'enable-encryption-strict-mode-egress',
  'encryption-strict-egress-cidr',
  'encryption-strict-egress-allow-remote-node-identities',
  'enable-encryption-strict-mode-ingress',
  'ztunnel-ca-type',
];

/** What an agent that starts with these settings does. */
export interface Wanted {
  readonly mode: Configured;
  readonly nodeToNode: boolean;
  readonly strictEgress: boolean;
  readonly strictIngress: boolean;
}

export function wantedBy(settings: Settings): Wanted {
  const on = (key: string): boolean => settings[key] === 'true';
  const modes = (['wireguard', 'ipsec', 'ztunnel'] as const).filter((mode) => on(SWITCHES[mode]));
  return {
    mode: modes.length > 1 ? 'both' : (modes[0] ?? 'off'),
    nodeToNode: on('encrypt-node'),
    strictEgress: on('enable-encryption-strict-mode-egress'),
    strictIngress: on('enable-encryption-strict-mode-ingress'),
  };
}

/** Tunnel mode is Cilium's default. */
export function isTunnel(config: Settings): boolean {
  return config['routing-mode'] !== 'native';
}

/** What an agent does now, by what it has published. A key of 255 alone proves nothing: WireGuard without a public key has no peers. */
export function runningOn({ publicKey, key }: Pick<NodeFacts, 'publicKey' | 'key'>): Mode {
  if (publicKey !== undefined) return 'wireguard';
  return key >= 1 && key <= 15 ? 'ipsec' : 'off';
}

/** The settings an agent of this node would start with, and which CiliumNodeConfigs had a part in them. */
export function settingsOf(
  { config, overrides, agents }: Pick<EncryptionFacts, 'config' | 'overrides' | 'agents'>,
  labels: Settings,
): { readonly settings: Settings; readonly by: readonly string[]; readonly blocked: readonly string[] } {
  const by: string[] = [];
  const blocked = new Set<string>();
  let settings = config;
  if (agents?.readsOverrides === false) return { settings, by, blocked: [] };
  // In the order of their names, the later wins (pkg/option/resolver of Cilium).
  for (const override of overrides.filter((one) => selects(one, labels)).toSorted((a, b) => (a.name < b.name ? -1 : 1))) {
    const entries = Object.entries(override.settings).filter(([key]) => ENCRYPTION_KEYS.includes(key));
    const taken = entries.filter(([key]) => mayOverride(key, agents));
    for (const [key] of entries) if (!mayOverride(key, agents)) blocked.add(key);
    if (taken.length === 0) continue;
    by.push(override.name);
    settings = { ...settings, ...Object.fromEntries(taken) };
  }
  return { settings, by, blocked: [...blocked] };
}

/** May a CiliumNodeConfig set this key here? */
export function mayOverride(key: string, agents: EncryptionFacts['agents']): boolean {
  if (!agents) return true;
  return agents.allowed ? agents.allowed.includes(key) : !agents.denied.includes(key);
}

/** Kubernetes' label selectors; an operator that is not known selects nothing. */
export function selects({ labels, expressions }: NodeOverride, node: Settings): boolean {
  return (
    Object.entries(labels).every(([key, value]) => node[key] === value) &&
    expressions.every(({ key, operator, values = [] }) => {
      const value = node[key];
      if (operator === 'Exists') return value !== undefined;
      if (operator === 'DoesNotExist') return value === undefined;
      if (operator === 'In') return value !== undefined && values.includes(value);
      return operator === 'NotIn' && (value === undefined || !values.includes(value));
    })
  );
}
