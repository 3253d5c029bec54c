import { canonicalJson, type Json, type JsonObject } from '../../src/domain/json.ts';
import type { Scene } from './scene.ts';

/** Everything of the demo mesh that an operation may change, as people would compare it. */
interface KubeObject {
  readonly kind?: string;
  readonly metadata: {
    readonly name: string;
    readonly namespace?: string;
    readonly labels?: JsonObject;
    readonly annotations?: JsonObject;
  };
  readonly spec?: Json;
}

const ROUTES = ['/apis/gateway.networking.k8s.io/v1/httproutes', '/apis/gateway.networking.k8s.io/v1/grpcroutes'];
export const POLICIES = [
  '/apis/cilium.io/v2/ciliumnetworkpolicies',
  '/apis/cilium.io/v2/ciliumclusterwidenetworkpolicies',
  '/apis/networking.k8s.io/v1/networkpolicies',
] as const;
const PODS = '/api/v1/pods';

export type MeshState = ReadonlyMap<string, string>;

/** Spec, labels and annotations of routes and policies, and the labels of pods: without what the server or kubectl keeps. */
export async function meshState(scene: Scene): Promise<MeshState> {
  const state = new Map<string, string>();
  for (const path of [...ROUTES, ...POLICIES])
    for (const object of await list(scene, path)) state.set(keyOf(path, object), specState(object));
  for (const pod of await list(scene, PODS)) state.set(keyOf(PODS, pod), canonicalJson(pod.metadata.labels ?? {}));
  return state;
}

/** What differs, by object; pods that came or went are nobody's change of the mesh. */
export function differences(before: MeshState, after: MeshState): readonly string[] {
  const keys = new Set([...before.keys(), ...after.keys()]);
  return [...keys].filter((key) => before.get(key) !== after.get(key) && !(key.startsWith(PODS) && !(before.has(key) && after.has(key))));
}

export async function list(scene: Scene, path: string): Promise<readonly KubeObject[]> {
  return ((await scene.read(path)) as { items: readonly KubeObject[] }).items;
}

function specState({ spec, metadata }: KubeObject): string {
  const { 'kubectl.kubernetes.io/last-applied-configuration': _, ...annotations } = metadata.annotations ?? {};
  return canonicalJson({ spec: spec ?? null, labels: metadata.labels ?? {}, annotations });
}

const keyOf = (path: string, { metadata }: KubeObject): string => `${path}/${metadata.namespace ?? ''}/${metadata.name}`;
