// What no plan may do, each with the reason and the way to do it all the same.
import type { EncryptionFacts } from './facts.ts';
import { isTunnel, type Mode, mayOverride, SWITCHES } from './mode.ts';
import { type Reading, versionOf } from './reading.ts';

/** What is asked for. `tunnelWindow`: that all agents restart at once, which the configuration allows or refuses. */
export type EncryptionChange =
  | { readonly kind: 'on'; readonly mode: 'wireguard' | 'ipsec'; readonly tunnelWindow?: 'allowed' | 'refused' }
  | { readonly kind: 'off'; readonly tunnelWindow?: 'allowed' | 'refused' }
  | { readonly kind: 'rotate'; readonly mode: 'wireguard' | 'ipsec' };

export interface NotSafe {
  readonly code: NotSafeCode;
  readonly reason: string;
  /** What to do instead. */
  readonly way: string;
}

export type NotSafeCode =
  | 'nothing-to-do'
  | 'other-mode'
  | 'two-modes'
  | 'clustermesh'
  | 'no-key-secret'
  | 'git'
  | 'blocked-keys'
  | 'no-overrides'
  | 'mixed-versions'
  | 'nodes-not-ready'
  | 'no-agents'
  | 'strict-first'
  | 'tunnel'
  | 'no-window'
  | 'kernel';

const NAMES: Readonly<Record<'wireguard' | 'ipsec' | 'ztunnel', string>> = { wireguard: 'WireGuard', ipsec: 'IPsec', ztunnel: 'ztunnel' };

/** Every reason why a change would not be safe here; none: it can be planned. The most fundamental comes first. */
export function notSafe(reading: Reading, change: EncryptionChange): readonly NotSafe[] {
  const { facts } = reading;
  return [
    ...ofMode(reading, change),
    ...ofCluster(facts),
    ...(change.kind === 'on' ? ofTurningOn(facts, change.mode) : []),
    ...(change.kind === 'off' ? ofTurningOff(reading) : []),
    ...(change.kind === 'rotate' ? [] : ofOverrides(facts, change.kind === 'on' ? change.mode : modeNow(reading))),
    ...ofNodes(reading),
    ...(change.kind === 'rotate' ? [] : ofRouting(facts, change.tunnelWindow)),
  ];
}

function ofRouting({ config }: EncryptionFacts, window: 'allowed' | 'refused' | undefined): readonly NotSafe[] {
  if (!isTunnel(config)) return window === undefined ? [] : [NO_NEED];
  if (window === undefined) return [TUNNEL];
  return window === 'allowed' ? [] : [NO_WINDOW];
}

const TUNNEL: NotSafe = {
  code: 'tunnel',
  reason: 'Cilium routes in tunnel mode. There a node with encryption and one without lose every new connection between them.',
  way: 'Change to native routing first; or restart all agents at once with `/encryption window`, where the configuration allows it.',
};

const NO_WINDOW: NotSafe = {
  code: 'no-window',
  reason: 'All agents would restart at once, and the configuration of this cluster does not allow that.',
  way: 'Change to native routing first; or set `tunnelWindow: allowed` for the cluster in meshops.yaml.',
};

const NO_NEED: NotSafe = {
  code: 'no-window',
  reason: 'Cilium routes natively, where it goes node by node and nobody has to restart all agents at once.',
  way: 'Use `/encryption on wireguard` or `/encryption off`.',
};

function modeNow({ nodes, wanted }: Reading): Mode {
  const running = nodes.map((node) => node.running).find((mode) => mode !== undefined && mode !== 'off');
  return running ?? (wanted.mode === 'both' ? 'off' : wanted.mode);
}

function ofMode(reading: Reading, change: EncryptionChange): readonly NotSafe[] {
  const { wanted, nodes } = reading;
  if (wanted.mode === 'both') {
    return [
      {
        code: 'two-modes',
        reason: 'cilium-config turns on more than one mode of encryption. An agent that starts with it does not come up.',
        way: 'Take all but one of enable-wireguard, enable-ipsec and enable-ztunnel out of cilium-config.',
      },
    ];
  }
  const now = modeNow(reading);
  const everywhere = (mode: Mode): boolean => wanted.mode === mode && nodes.every((node) => node.running === mode);
  if (change.kind === 'off' && everywhere('off')) return [nothing('Encryption is off on every node.')];
  if (change.kind === 'on' && everywhere(change.mode)) return [nothing(`${NAMES[change.mode]} is on on every node.`)];
  if (change.kind === 'rotate' && now !== change.mode) return [nothing(`There are no keys of ${NAMES[change.mode]}: it is not on.`)];
  if (change.kind === 'on' && now !== 'off' && now !== change.mode) {
    return [
      {
        code: 'other-mode',
        reason: `${NAMES[now]} is on. Nodes between two modes lose traffic, and going back loses it again (cilium/cilium #44691).`,
        way: `Turn ${NAMES[now]} off first, see it off on every node, then turn ${NAMES[change.mode]} on.`,
      },
    ];
  }
  return [];
}

function nothing(reason: string): NotSafe {
  return { code: 'nothing-to-do', reason, way: 'Nothing has to be done.' };
}

function ofCluster({ config, git }: EncryptionFacts): readonly NotSafe[] {
  const found: NotSafe[] = [];
  if ((config['cluster-id'] ?? '0') !== '0' || config['clustermesh-config'] !== undefined) {
    found.push({
      code: 'clustermesh',
      reason: 'The cluster may be part of a cluster mesh, where all clusters must have encryption on or all must have it off.',
      way: 'Plan it for all clusters of the mesh at once, through the Helm values of each.',
    });
  }
  if (git !== undefined) {
    found.push({
      code: 'git',
      reason: `cilium-config is applied by ${git}. It would write Git's values back in the middle of a change.`,
      way: `Commit the values there, or make it leave the data of ConfigMap cilium-config alone first.`,
    });
  }
  return found;
}

/** WireGuard is part of Linux since 5.6. */
const OLDEST_KERNEL = [5, 6] as const;

function ofTurningOn({ agents, nodes }: EncryptionFacts, mode: 'wireguard' | 'ipsec'): readonly NotSafe[] {
  if (mode === 'ipsec') {
    if (agents?.mountsKeys !== false) return [];
    return [
      {
        code: 'no-key-secret',
        reason: 'The agents do not mount the secret with IPsec keys, so an agent told to use them does not start.',
        way: 'Create the secret cilium-ipsec-keys, then set encryption.enabled=true and encryption.type=ipsec in the Helm values.',
      },
    ];
  }
  const old = nodes.filter(({ kernel }) => kernel !== undefined && !hasWireGuard(kernel)).map(({ name }) => name);
  if (old.length === 0) return [];
  return [
    {
      code: 'kernel',
      reason: `The kernel of ${listed(old)} is older than 5.6 and has no WireGuard.`,
      way: 'Update those nodes first. There is no setting for a device outside of the kernel.',
    },
  ];
}

/** Undefined versions are believed: distributions bring it to older kernels too, and the agent says so when it is missing. */
export function hasWireGuard(kernel: string): boolean {
  const [, major, minor] = /^(\d+)\.(\d+)/.exec(kernel) ?? [];
  if (major === undefined || minor === undefined) return true;
  return Number(major) > OLDEST_KERNEL[0] || (Number(major) === OLDEST_KERNEL[0] && Number(minor) >= OLDEST_KERNEL[1]);
}

function ofTurningOff({ wanted }: Reading): readonly NotSafe[] {
  if (!wanted.strictEgress && !wanted.strictIngress) return [];
  return [
    {
      code: 'strict-first',
      reason: 'Strict mode is on: it drops what is not encrypted, so turning encryption off would stop traffic between nodes.',
      way: 'Turn strict mode off first, on every node.',
    },
  ];
}

function ofOverrides({ agents }: EncryptionFacts, mode: Mode): readonly NotSafe[] {
  if (!agents) {
    return [
      {
        code: 'no-agents',
        reason: "There is no DaemonSet cilium in Cilium's namespace, so nobody replaces an agent.",
        way: 'Set ciliumNamespace for the cluster.',
      },
    ];
  }
  if (!agents.readsOverrides) {
    return [
      {
        code: 'no-overrides',
        reason: 'The agents do not read CiliumNodeConfigs when they start, so it cannot go node by node.',
        way: 'Add cilium-node-config to daemon.configSources in the Helm values.',
      },
    ];
  }
  const key = mode === 'off' ? SWITCHES.wireguard : SWITCHES[mode];
  if (mayOverride(key, agents)) return [];
  return [
    {
      code: 'blocked-keys',
      reason: `A CiliumNodeConfig may not set ${key} here (daemon.blockedConfigOverrides or allowedConfigOverrides).`,
      way: `Allow ${key} in the Helm values.`,
    },
  ];
}

function ofNodes({ facts, nodes }: Reading): readonly NotSafe[] {
  const found: NotSafe[] = [];
  const versions = [...new Set(facts.nodes.flatMap(({ agent }) => (agent?.image ? [versionOf(agent.image)] : [])))].toSorted();
  if (versions.length > 1) {
    found.push({
      code: 'mixed-versions',
      reason: `The agents run different versions: ${listed(versions)}. An upgrade is under way, or has stopped.`,
      way: 'Finish the upgrade of Cilium first.',
    });
  }
  const down = nodes.filter(({ running }) => running === undefined).map(({ name }) => name);
  if (down.length > 0) {
    found.push({
      code: 'nodes-not-ready',
      reason: `${listed(down)} ${down.length === 1 ? 'is' : 'are'} not ready, or without a ready agent.`,
      way: 'Wait for them, or take them out of the cluster.',
    });
  }
  return found;
}

/** `a, b, c and 4 more`. */
export function listed(names: readonly string[], most = 5): string {
  const shown = names.slice(0, most);
  const more = names.length - shown.length;
  if (more > 0) return `${shown.join(', ')} and ${more} more`;
  return shown.length < 2 ? shown.join('') : `${shown.slice(0, -1).join(', ')} and ${shown.at(-1)}`;
}

export function modeName(mode: 'wireguard' | 'ipsec' | 'ztunnel'): string {
  return NAMES[mode];
}
