import type { Requirement } from './policy.ts';
import { CLUSTER_LABEL, requirement } from './selector.ts';

/** One alternative of an entity: all its requirements must hold. */
type Alternative = (clusterName: string) => readonly Requirement[];

function reserved(name: string): Alternative {
  return () => [requirement(`reserved:${name}`, 'In', [''])];
}

const inCluster = ['host', 'remote-node', 'init', 'ingress', 'health', 'unmanaged', 'kube-apiserver'].map(reserved);

/** What is outside of the cluster: with both address families each has a label of its own (cilium, pkg/labels: world-ipv4, world-ipv6). */
export const OUTSIDE: readonly string[] = ['world', 'world-ipv4', 'world-ipv6'];

/** What each entity stands for (cilium v1.20.2, pkg/policy/api/entity.go). */
export const ENTITIES: Readonly<Record<string, readonly Alternative[]>> = {
  all: [() => []],
  world: OUTSIDE.map(reserved),
  'world-ipv4': [reserved('world-ipv4')],
  'world-ipv6': [reserved('world-ipv6')],
  host: [reserved('host')],
  init: [reserved('init')],
  ingress: [reserved('ingress')],
  'remote-node': [reserved('remote-node')],
  health: [reserved('health')],
  unmanaged: [reserved('unmanaged')],
  none: [reserved('none')],
  'kube-apiserver': [reserved('kube-apiserver')],
  cluster: [...inCluster, (clusterName) => [requirement(`k8s:${CLUSTER_LABEL}`, 'In', [clusterName])]],
  'cluster-mesh': [...inCluster, () => [requirement(CLUSTER_LABEL, 'Exists')]],
};
