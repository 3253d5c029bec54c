// Which kind of encryption suits a cluster, from what can be read of it.

import { number } from '../words/words.ts';
import type { EncryptionFacts } from './facts.ts';
import { isTunnel } from './mode.ts';
import { type EncryptionPlan, planEncryption } from './plan.ts';
import { type Reading, versionOf } from './reading.ts';
import { hasWireGuard, listed, modeName, type NotSafe } from './refusals.ts';

export interface Advice {
  readonly choice: 'wireguard' | 'ipsec';
  /** Each with the page that says so. */
  readonly reasons: readonly Sourced[];
  readonly beware: readonly Sourced[];
  /** What would be in the way of turning it on today. */
  readonly inTheWay: readonly NotSafe[];
  /** In which order nodes are best changed, and what that costs; absent where something is in the way, or nothing is left to do. */
  readonly order?: string;
  /** Helm values. */
  readonly values: readonly string[];
}

export interface Sourced {
  readonly words: string;
  readonly source: string;
}

const DOCS = 'https://docs.cilium.io/en/stable';
export const SOURCES = {
  wireguard: `${DOCS}/security/network/encryption-wireguard/`,
  ipsec: `${DOCS}/security/network/encryption-ipsec/`,
  ztunnel: `${DOCS}/security/network/encryption-ztunnel/`,
  clustermesh: `${DOCS}/network/clustermesh/clustermesh/`,
  protocol: 'https://www.wireguard.com/protocol/',
  approved: 'https://csrc.nist.gov/pubs/sp/800/140/c/r2/final',
  between: 'https://github.com/cilium/cilium/issues/44691',
  mtu: 'https://github.com/cilium/cilium/issues/28413',
} as const;

/** Pure: what is advised, and why. */
export function advise(reading: Reading): Advice {
  const { facts } = reading;
  const fips = facts.nodes.filter(({ labels }) => saysFips(labels)).map(({ name }) => name);
  const old = facts.nodes.filter(({ kernel }) => kernel !== undefined && !hasWireGuard(kernel)).map(({ name }) => name);
  const running = reading.nodes.map((node) => node.running).find((mode) => mode === 'wireguard' || mode === 'ipsec');
  const choice = running === 'ipsec' || running === 'wireguard' ? running : fips.length > 0 || old.length > 0 ? 'ipsec' : 'wireguard';
  const change = { kind: 'on', mode: choice } as const;
  const plan = running === choice ? undefined : planEncryption(reading, change);
  return {
    choice,
    reasons: [...reasonsFor(choice, { running, fips, old }), ...againstZtunnel(facts)],
    beware: bewareOf(facts, choice),
    inTheWay: plan?.kind === 'impossible' ? plan.because : [],
    ...(plan?.kind === 'plan' && { order: orderOf(plan) }),
    values: [
      'encryption.enabled=true',
      `encryption.type=${choice}`,
      ...(choice === 'ipsec' && facts.config['enable-l7-proxy'] !== 'false' ? ['dnsProxy.enableTransparentMode=true'] : []),
    ],
  };
}

function orderOf({ stages, cost }: Extract<EncryptionPlan, { kind: 'plan' }>): string {
  const counts = stages.map(({ changed }) => number(changed.length)).join(', ');
  return `${counts} nodes, one agent after the other, zone by zone; each pair looked at before the next. ${cost}`;
}

function reasonsFor(
  choice: Advice['choice'],
  { running, fips, old }: { readonly running: string | undefined; readonly fips: readonly string[]; readonly old: readonly string[] },
): readonly Sourced[] {
  if (running === choice) {
    const words = `${modeName(choice)} runs already. Changing the mode means turning it off on every node first.`;
    return [{ words, source: SOURCES.between }];
  }
  if (choice === 'ipsec') {
    return [
      ...(fips.length > 0
        ? [
            {
              words: `${listed(fips)} ${fips.length === 1 ? 'is' : 'are'} labelled for FIPS. WireGuard uses ChaCha20-Poly1305 alone, which FIPS 140-3 does not approve; IPsec uses AES-GCM.`,
              source: SOURCES.approved,
            },
          ]
        : []),
      ...(old.length > 0
        ? [{ words: `The kernel of ${listed(old)} is older than 5.6 and has no WireGuard.`, source: SOURCES.wireguard }]
        : []),
    ];
  }
  return [
    { words: 'Every kernel has WireGuard, as far as the nodes say.', source: SOURCES.wireguard },
    { words: 'Keys are made on each node and need no secret and no rotation by hand, unlike those of IPsec.', source: SOURCES.ipsec },
    { words: 'No node is labelled for FIPS.', source: SOURCES.protocol },
  ];
}

function againstZtunnel({ agents }: EncryptionFacts): readonly Sourced[] {
  const [, minor] = /^v?1\.(\d+)/.exec(versionOf(agents?.image ?? '')) ?? [];
  const words =
    minor !== undefined && Number(minor) < 19
      ? `ztunnel is not part of Cilium ${versionOf(agents?.image ?? '')}: it came with 1.19, as a beta.`
      : 'ztunnel is a beta, takes TCP alone, and excludes both others. It suits mutual TLS of single namespaces.';
  return [{ words, source: SOURCES.ztunnel }];
}

function bewareOf({ config, nodes }: EncryptionFacts, choice: Advice['choice']): readonly Sourced[] {
  const mtu = config['mtu'];
  return [
    ...(isTunnel(config)
      ? [
          {
            words:
              'Tunnel mode: a node with encryption and one without lose every new connection between them, and no drop is reported. All agents have to restart together.',
            source: SOURCES[choice],
          },
        ]
      : []),
    {
      words: `Pods that are there already keep their MTU${mtu === undefined ? '' : ` (cilium-config: ${mtu})`}. Where fragments are dropped on the way, their large packets are lost until they are replaced.`,
      source: SOURCES.mtu,
    },
    ...(choice === 'wireguard' && nodes.length > 1
      ? [{ words: 'UDP port 51871 must be open between all nodes.', source: SOURCES.wireguard }]
      : []),
    ...((config['cluster-id'] ?? '0') === '0'
      ? []
      : [{ words: 'In a cluster mesh all clusters must have encryption on, or all off.', source: SOURCES.clustermesh }]),
  ];
}

/** Node labels have no standard name for it: OpenShift, EKS images and Node Feature Discovery each have their own. */
export function saysFips(labels: Readonly<Record<string, string>>): boolean {
  return Object.entries(labels).some(([key, value]) => /fips/i.test(key) && !/^(false|0|no|disabled)$/i.test(value));
}
