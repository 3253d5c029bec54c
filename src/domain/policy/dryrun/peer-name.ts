import type { PolicyPeer } from '../flow.ts';
import { peerOf } from '../stages/group.ts';

/** A peer as a group of a dry-run shows it. */
export interface GroupPeer {
  /** `frontend/frontend`, `host`, `world (api.example.com)`. */
  readonly name: string;
  /** The labels that tell it apart, `key=value`, sorted; empty for reserved identities. */
  readonly labels: readonly string[];
}

/** Labels that the cluster itself sets, or that differ between pods of one workload. */
const NOISE =
  /^k8s:(io\.kubernetes\.|io\.cilium\.|pod-template-hash=|pod-template-generation=|controller-revision-hash=|statefulset\.kubernetes\.io\/|apps\.kubernetes\.io\/|batch\.kubernetes\.io\/|meshops\.dev\/)/;

/** Pods by their labels, addresses outside by their name where it is known. */
export function groupPeer(peer: PolicyPeer): GroupPeer {
  const known = peerOf(peer.labels);
  if (known.kind === 'world')
    return { name: `world (${peer.fqdns?.[0]?.replace(/\.$/, '') ?? peer.ip ?? 'address not recorded'})`, labels: [] };
  const labels = peer.labels
    .filter((label) => label.startsWith('k8s:') && !NOISE.test(label))
    .map((label) => label.slice('k8s:'.length))
    .toSorted();
  return { name: known.name, labels: peer.labels.some((label) => label.startsWith('reserved:')) ? [] : labels };
}
