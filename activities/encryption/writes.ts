import { CILIUM_NODE_CONFIG, type ConfigMap, type Pod, refOf } from '../../src/clients/kubernetes/objects.ts';
import { type EncryptionPlan, nodeConfigFor, nodeSelectorFor } from '../../src/domain/encryption/plan.ts';
import type { Reading } from '../../src/domain/encryption/reading.ts';
import type { JsonObject } from '../../src/domain/json.ts';
import type { Fields, ObjectRef, PlannedStage, Write } from '../../src/domain/lifecycle/plan.ts';

export interface StagesOf {
  readonly opId: string;
  readonly change: Parameters<typeof nodeConfigFor>[1];
  readonly planned: Extract<EncryptionPlan, { kind: 'plan' }>;
  readonly reading: Reading;
  readonly config: ConfigMap;
  readonly agents: ReadonlyMap<string, Pod>;
  readonly agentMs: number;
  readonly firstStage: number;
}

const SELECTOR = '/spec/nodeSelector';

/**
 * One CiliumNodeConfig, which each stage lets select more nodes, and the agents of these nodes after it; at the end cilium-config says it for
 * all and the CiliumNodeConfig goes. cilium-config is held from the first stage on: whoever changes it meanwhile is noticed.
 */
export function stageWrites(of: StagesOf): readonly PlannedStage[] {
  const { opId, change, planned, reading, config, agents, agentMs, firstStage } = of;
  const { namespace } = reading.facts;
  const manifest = nodeConfigFor({ opId, namespace }, change, []);
  const object = refOfManifest(manifest, namespace);
  const hostnames = new Map(reading.facts.nodes.map(({ name, labels }) => [name, labels['kubernetes.io/hostname'] ?? name]));
  const selector = (nodes: readonly string[]): Fields => ({
    [SELECTOR]: nodeSelectorFor(nodes.map((node) => hostnames.get(node) ?? node)) as JsonObject,
  });
  const { uid, generation = 0 } = config.metadata;
  const end = Object.fromEntries(Object.entries(planned.atTheEnd).map(([key, value]) => [`/data/${key}`, value]));
  const now = Object.fromEntries(Object.keys(planned.atTheEnd).map((key) => [`/data/${key}`, config.data?.[key] ?? null]));
  const held = { object: { ...refOf(config), namespace }, uid, generation };
  const all = planned.stages.flatMap(({ batches }) => batches.flat()).length;
  let before: readonly string[] = [];
  const stages = planned.stages.map(({ batches, changed, label }, index): PlannedStage => {
    const told: Write = { object, uid: '', generation: 0, before: selector(before), after: selector(changed) };
    before = changed;
    const first: readonly Write[] =
      index === 0
        ? [
            { ...told, kind: 'create', manifest },
            { ...held, before: now, after: now },
          ]
        : [told];
    return {
      number: firstStage + index,
      label,
      exposure: changed.length / all,
      writes: [
        ...first,
        ...batches.flatMap((nodes, batch) => nodes.map((node) => replacement(agents.get(node), { node, batch, agentMs }))),
      ],
    };
  });
  return [
    ...stages,
    {
      number: firstStage + stages.length,
      label: 'cilium-config',
      exposure: 1,
      soakMs: 0,
      writes: [
        { ...held, before: now, after: end },
        { object, kind: 'delete', uid: '', generation: 0, before: {}, after: {} },
      ],
    },
  ];
}

interface Place {
  readonly node: string;
  readonly batch: number;
  readonly agentMs: number;
}

/** The agent of a node, to be replaced by its DaemonSet. */
export function replacement(pod: Pod | undefined, { node, batch, agentMs }: Place): Write {
  if (!pod) throw new Error(`${node} has no agent`);
  const ownerUid = pod.metadata.ownerReferences?.find(({ controller }) => controller)?.uid ?? '';
  const successor = { ownerUid, nodeName: node, batch, withinMs: agentMs };
  return { object: refOf(pod), kind: 'replace', successor, uid: pod.metadata.uid, generation: 0, before: {}, after: {} };
}

function refOfManifest(manifest: JsonObject, namespace: string): ObjectRef {
  const { name } = manifest['metadata'] as { readonly name: string };
  return { ...CILIUM_NODE_CONFIG, namespace, name };
}
