import { parseAddress } from '../cidr.ts';
import { dnsNameError } from '../dns-pattern.ts';
import type { PolicyPeer } from '../flow.ts';
import type { Direction } from '../policy.ts';
import { CLUSTER_LABEL, NAMESPACE_LABEL } from '../selector.ts';

/** Whom one rule of a proposed policy speaks of. Two peers with the same `key` are one. */
export interface LearnedPeer {
  readonly key: string;
  /** For the comment above the rule. */
  readonly name: string;
  readonly selects:
    | { readonly kind: 'endpoints'; readonly matchLabels: Readonly<Record<string, string>>; readonly exists?: string }
    | { readonly kind: 'entity'; readonly entity: string }
    | { readonly kind: 'name'; readonly name: string }
    | { readonly kind: 'address'; readonly cidr: string };
}

/** Labels that name a workload; the first that is there is what people would write. */
const NAMES = ['app.kubernetes.io/name', 'app', 'k8s-app', 'name'] as const;
/** An API server on a node is a remote node as well: the narrower word comes first. */
const ENTITIES = ['kube-apiserver', 'ingress', 'health', 'host', 'remote-node', 'init', 'unmanaged'] as const;
/** Labels that the cluster sets, or that differ from one pod, release or run to the next. */
const NOISE =
  /^(io\.kubernetes\.|io\.cilium\.|pod-template|rollouts-pod-template|controller-revision-hash|statefulset\.|apps\.kubernetes\.io\/|batch\.|controller-uid|job-name|helm\.sh\/chart|chart$|heritage$|app\.kubernetes\.io\/(version|managed-by)|version$|workflows\.argoproj\.io\/|tekton\.dev\/|topology\.kubernetes\.io\/|meshops\.dev\/)/;
/** Values that no person has chosen: UUIDs, times, and Kubernetes' own hashes (which have no vowels) at the end of a name. */
const RUN =
  /[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}|(^|-)\d{8,}$|(^|-)(?=[a-z]*\d)[bcdfghjklmnpqrstvwxz2456789]{8,10}$|^[0-9a-f]{32,}$/;
/** What every pod of a Job has, whichever run it is of. */
const JOB = ['batch.kubernetes.io/job-name', 'job-name'] as const;

/**
 * The tightest selector that people would still write for this peer. Addresses that come in from outside change, so they are `world`;
 * what goes out is a name where one was seen, else the address. Undefined where the labels name nobody.
 */
export function learnedPeer(peer: PolicyPeer, direction: Direction, localCluster: string): LearnedPeer | undefined {
  const reserved = peer.labels.flatMap((label) => (label.startsWith('reserved:') ? label.slice('reserved:'.length) : []));
  const entity = ENTITIES.find((one) => reserved.includes(one));
  if (entity) return { key: `entity ${entity}`, name: entity, selects: { kind: 'entity', entity } };
  if (reserved.some((name) => name.startsWith('world'))) return outside(peer, direction);
  return endpoints(peer, localCluster);
}

function outside({ ip = '', fqdns = [] }: PolicyPeer, direction: Direction): LearnedPeer {
  const world: LearnedPeer = { key: 'entity world', name: 'world', selects: { kind: 'entity', entity: 'world' } };
  if (direction === 'ingress') return world;
  const name = fqdns.map((one) => one.toLowerCase().replace(/\.$/, '')).find((one) => one !== '' && dnsNameError(one) === undefined);
  if (name !== undefined) return { key: `name ${name}`, name, selects: { kind: 'name', name } };
  const address = parseAddress(ip);
  if (!address) return world;
  const cidr = `${ip}/${address.bits}`;
  return { key: `address ${cidr}`, name: cidr, selects: { kind: 'address', cidr } };
}

function endpoints({ labels }: PolicyPeer, localCluster: string): LearnedPeer | undefined {
  const own = new Map(
    labels.flatMap((label): [string, string][] => {
      const [, key, value] = /^k8s:([^=]+)=(.*)$/s.exec(label) ?? [];
      return key === undefined || value === undefined ? [] : [[key, value]];
    }),
  );
  const namespace = own.get(NAMESPACE_LABEL);
  if (namespace === undefined) return undefined;
  const cluster = own.get(CLUSTER_LABEL);
  const isStable = (value: string | undefined): boolean => value !== undefined && value !== '' && !RUN.test(value);
  const naming = NAMES.find((name) => isStable(own.get(name)));
  const chosen =
    naming === undefined
      ? [...own].filter(([key, value]) => !NOISE.test(key) && !RUN.test(value)).toSorted(([a], [b]) => a.localeCompare(b))
      : [[naming, own.get(naming) ?? ''] as const];
  // Nothing names the pods of this Job but its run: all Jobs of the namespace, then, and not all its pods.
  const job = chosen.length === 0 ? JOB.find((key) => own.has(key)) : undefined;
  const matchLabels = Object.fromEntries([
    ...chosen,
    [`k8s:${NAMESPACE_LABEL}`, namespace],
    ...(cluster === undefined || cluster === localCluster ? [] : [[`k8s:${CLUSTER_LABEL}`, cluster] as const]),
  ]) as Readonly<Record<string, string>>;
  const labelled = chosen.map(([key, value]) => `${key}=${value}`).join(',');
  const name = `${namespace}/${naming === undefined ? labelled || (job === undefined ? '*' : 'Jobs') : own.get(naming)}`;
  const selects = { kind: 'endpoints', matchLabels, ...(job === undefined ? {} : { exists: job }) } as const;
  return { key: JSON.stringify([matchLabels, job]), name, selects };
}
