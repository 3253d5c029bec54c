// What can be read of a cluster's encryption without entering a pod: the material of status, advice and plans.

export type Settings = Readonly<Record<string, string>>;

/** One CiliumNodeConfig: settings for the nodes that it selects, on top of cilium-config. */
export interface NodeOverride {
  readonly name: string;
  readonly labels: Settings;
  readonly expressions: readonly { readonly key: string; readonly operator: string; readonly values?: readonly string[] }[];
  readonly settings: Settings;
  /** Epoch ms of its last write, where the API server knows. */
  readonly changedAt?: number;
}

/** The agents' DaemonSet. */
export interface AgentSet {
  readonly image: string;
  /** The secret with IPsec's keys is mounted. */
  readonly mountsKeys: boolean;
  /** CiliumNodeConfigs are read when an agent starts. */
  readonly readsOverrides: boolean;
  /** Keys that a CiliumNodeConfig may not set; where `allowed` is given, it may set those alone. */
  readonly denied: readonly string[];
  readonly allowed?: readonly string[];
}

export interface AgentFacts {
  readonly pod: string;
  readonly ready: boolean;
  readonly image: string;
  /** When the pod came, epoch ms: its configuration was put together then, by an init container, and not again when the agent restarts in place. */
  readonly startedAt?: number;
  /** When its agent last started, epoch ms: later than the pod's after a crash. */
  readonly runningSince?: number;
  /** Since when at the latest it is what `ready` says. Epoch ms. */
  readonly readyAt?: number;
}

export interface NodeFacts {
  readonly name: string;
  readonly labels: Settings;
  readonly ready: boolean;
  readonly kernel?: string;
  readonly agent?: AgentFacts;
  /** WireGuard's public key, as the agent has published it. */
  readonly publicKey?: string;
  /** Of the CiliumNode: 255 with WireGuard, IPsec's SPI of 1 to 15, else 0. */
  readonly key: number;
  /** The key has not changed since then at the latest. Epoch ms. */
  readonly keySince?: number;
  /** How many endpoints carry which key; 0 is none. */
  readonly endpoints: Readonly<Record<number, number>>;
  /** When each of its pods came, epoch ms. */
  readonly podsSince: readonly number[];
}

export interface EncryptionFacts {
  readonly cluster: string;
  readonly namespace: string;
  readonly readAt: number;
  /** cilium-config. */
  readonly config: Settings;
  /** When the keys of encryption were last written, epoch ms, and by whom, as far as the API server remembers. */
  readonly changedAt?: number;
  readonly writers: Readonly<Record<string, string>>;
  readonly overrides: readonly NodeOverride[];
  readonly agents?: AgentSet;
  /** Cilium's objects carry Helm's marks; the release's name where it is known. */
  readonly helm?: { readonly release: string };
  /** What applies cilium-config from Git: `Argo CD application cilium`. */
  readonly git?: string;
  readonly nodes: readonly NodeFacts[];
  /** What may not be read here: Nodes, agents, … */
  readonly unread: readonly string[];
}
