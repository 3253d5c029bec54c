// What a change of a cluster's encryption would do, stage by stage: pure, out of what was read.
import type { JsonObject } from '../json.ts';
import { plural } from '../words/words.ts';
import { isTunnel, SWITCHES } from './mode.ts';
import type { Reading } from './reading.ts';
import { type EncryptionChange, type NotSafe, notSafe } from './refusals.ts';
import { costOf, type NodeStage, planStages, type Spread, type StageOptions, synchronisedWindow } from './stages.ts';

export type EncryptionPlan =
  | { readonly kind: 'impossible'; readonly because: readonly NotSafe[] }
  | {
      readonly kind: 'plan';
      readonly stages: readonly PlannedNodes[];
      /** One sentence on what it costs in traffic between nodes. */
      readonly cost: string;
      /** How many must agree where the configuration names no number: what makes traffic readable needs two. */
      readonly quorum: number;
      /** What cilium-config gets when every node is changed; null takes the key out. */
      readonly atTheEnd: Readonly<Record<string, string | null>>;
    };

export interface PlannedNodes extends NodeStage {
  readonly label: string;
  /** Every node that is changed when the stage is done. */
  readonly changed: readonly string[];
}

export interface PlanOptions extends StageOptions {
  readonly spreads?: readonly Spread[];
}

/** Nodes that already do what is asked for are no part of the stages; their agents are not restarted. */
export function planEncryption(
  reading: Reading,
  change: Exclude<EncryptionChange, { kind: 'rotate' }>,
  options: PlanOptions = {},
): EncryptionPlan {
  const because = notSafe(reading, change);
  if (because.length > 0) return { kind: 'impossible', because };
  const wanted = change.kind === 'on' ? change.mode : 'off';
  const tunnel = isTunnel(reading.facts.config);
  const left = reading.nodes.filter(({ running }) => running !== wanted);
  const stages = tunnel ? synchronisedWindow(left) : planStages(left, options.spreads ?? [], options);
  const changed: string[] = [];
  return {
    kind: 'plan',
    stages: stages.map((stage) => {
      changed.push(...stage.batches.flat());
      return { ...stage, label: `nodes, ${changed.length} of ${left.length}`, changed: [...changed] };
    }),
    cost: `Traffic between nodes that is lost: ${costOf(change.kind, tunnel)}. Each of ${plural(left.length, 'agent')} restarts once.`,
    quorum: change.kind === 'off' ? 2 : 1,
    atTheEnd: change.kind === 'on' ? { [SWITCHES[change.mode]]: 'true' } : offKeys(reading),
  };
}

function offKeys({ facts }: Reading): Readonly<Record<string, string | null>> {
  return Object.fromEntries(Object.values(SWITCHES).flatMap((key) => (facts.config[key] === 'true' ? [[key, null] as const] : [])));
}

/**
 * The CiliumNodeConfig that tells these nodes what the others are not told yet. Its name begins with `zz-`: of several that select a node
 * the last by name counts.
 */
export function nodeConfigFor(
  { opId, namespace }: { readonly opId: string; readonly namespace: string },
  change: Exclude<EncryptionChange, { kind: 'rotate' }>,
  nodes: readonly string[],
): JsonObject {
  const on = change.kind === 'on';
  const key = on ? SWITCHES[change.mode] : SWITCHES.wireguard;
  return {
    apiVersion: 'cilium.io/v2',
    kind: 'CiliumNodeConfig',
    metadata: { name: `zz-meshops-${opId}`, namespace },
    spec: { defaults: { [key]: String(on) }, nodeSelector: nodeSelectorFor(nodes) },
  };
}

/** No node has this name: a selector without values would select all of them, or be refused. */
const NOBODY = 'meshops-none';

/** Selects nodes by the label that every kubelet gives its own; of no nodes: nobody. */
export function nodeSelectorFor(hostnames: readonly string[]): JsonObject {
  const values = hostnames.length > 0 ? [...hostnames] : [NOBODY];
  return { matchExpressions: [{ key: 'kubernetes.io/hostname', operator: 'In', values }] };
}

/** Whose keys a change is about. */
export function modeOf({ wanted, nodes }: Reading, change: Exclude<EncryptionChange, { kind: 'rotate' }>): 'wireguard' | 'ipsec' {
  if (change.kind === 'on') return change.mode;
  const running = nodes.map((node) => node.running).find((mode) => mode === 'wireguard' || mode === 'ipsec');
  return running === 'ipsec' || wanted.mode === 'ipsec' ? 'ipsec' : 'wireguard';
}
