import type { EndpointSlice } from '../../src/clients/kubernetes/objects.ts';

export type Side = 'canary' | 'stable';

/** How long a pod is cold: caches, pools and compilers warm up with its first requests (ms). */
const WARM_UP_MS = 30_000;
/** When the endpoints of a slice last changed, as the EndpointSlice controller writes it. */
const CHANGED = 'endpoints.kubernetes.io/last-change-trigger-time';

/** Who belongs to which side, as far as it is known; pods that have gone stay known, since their last answers come later. */
export class Sides {
  readonly #pods = new Map<string, Side>();
  /** `pod`: whose address it is, where the endpoint says so. */
  readonly #addresses = new Map<string, { readonly side: Side; readonly pod?: string | undefined }>();
  readonly #services = new Map<string, Side>();
  /** Since when a pod, or an address, has been an endpoint; absent: for long. */
  readonly #since = new Map<string, number>();
  readonly #ports = new Set<number>();
  /** Pods and addresses that are endpoints now. */
  readonly #now: Record<Side, ReadonlySet<string>> = { canary: new Set(), stable: new Set() };
  readonly #listed = new Set<Side>();

  /** `key`: a Service as `namespace/name`. Its cluster addresses stand for requests that reached no pod. */
  service(key: string, side: Side, addresses: readonly string[]): void {
    this.#services.set(key, side);
    for (const address of addresses) this.#addresses.set(address, { side });
  }

  /**
   * `now`: epoch ms. Who is new since the last list is cold from now on; of the first list the slice says when it changed. A pod behind
   * Services of both sides is the canary's, whichever is listed last: what it does is the canary's doing.
   */
  endpoints(side: Side, slices: readonly EndpointSlice[], now = 0): void {
    const listed = new Set<string>();
    for (const { metadata, endpoints, ports } of slices) {
      const changedAt = Date.parse(metadata.annotations?.[CHANGED] ?? '');
      const since = this.#listed.has(side) ? now : changedAt;
      for (const { port } of ports ?? []) if (port !== undefined) this.#ports.add(port);
      for (const { addresses, targetRef } of endpoints ?? []) {
        const pod = podOf(targetRef, metadata.namespace);
        const keys = pod === undefined ? addresses : [...addresses, pod];
        for (const key of keys) {
          listed.add(key);
          if (!this.#addresses.has(key) && !this.#pods.has(key) && since > 0) this.#since.set(key, since);
        }
        for (const address of addresses) if (this.#takes(side, address)) this.#addresses.set(address, { side, pod });
        if (pod !== undefined && this.#takes(side, pod)) this.#pods.set(pod, side);
      }
    }
    // Whoever is the canary's no more, and behind the others still, is theirs.
    for (const key of this.#now[side]) if (side === 'canary' && !listed.has(key) && this.#now.stable.has(key)) this.#isStable(key);
    this.#now[side] = listed;
    if (slices.length > 0) this.#listed.add(side);
  }

  #takes(side: Side, key: string): boolean {
    return side === 'canary' || !this.#now.canary.has(key);
  }

  #isStable(key: string): void {
    const at = this.#addresses.get(key);
    if (at) this.#addresses.set(key, { ...at, side: 'stable' });
    if (this.#pods.has(key)) this.#pods.set(key, 'stable');
  }

  /** By pod name, else address, if it is still that pod's, else Service: Hubble's workload is empty where the pod runs on another node (cilium/cilium #48812). */
  of(end: {
    readonly pod?: string | undefined;
    readonly address?: string | undefined;
    readonly service?: string | undefined;
  }): Side | undefined {
    const known = this.#pods.get(end.pod ?? '');
    if (known !== undefined) return known;
    const at = this.#addresses.get(end.address ?? '');
    // Addresses are given to other pods when theirs have gone.
    const isAnother = at?.pod !== undefined && end.pod !== undefined && at.pod !== end.pod;
    return (isAnother ? undefined : at?.side) ?? this.#services.get(end.service ?? '');
  }

  /** Has the pod, or the address where no pod is known, been an endpoint for less than the warm-up at `at` (epoch ms)? */
  isCold(server: string, at: number): boolean {
    return at - (this.#since.get(server) ?? Number.NEGATIVE_INFINITY) < WARM_UP_MS;
  }

  /** Is it a port at which the pods of these Services are asked? Where no slice names any, every port is. */
  serves(port: number): boolean {
    return this.#ports.size === 0 || this.#ports.has(port);
  }
}

type Target = NonNullable<EndpointSlice['endpoints']>[number]['targetRef'];

/** `namespace/name` of the pod that an endpoint is. */
export function podOf(target: Target, namespace: string | undefined): string | undefined {
  return target?.kind === 'Pod' && target.name ? `${target.namespace ?? namespace}/${target.name}` : undefined;
}

/** Ready endpoints of a Service over all its slices, each counted once. */
export function readyOf(slices: readonly EndpointSlice[]): number {
  const ready = new Set<string>();
  for (const { endpoints } of slices) {
    for (const { addresses, conditions } of endpoints ?? []) {
      // An unknown condition counts as ready (EndpointConditions.ready).
      if (conditions?.ready !== false && addresses[0] !== undefined) ready.add(addresses[0]);
    }
  }
  return ready.size;
}

/** Where a Service's endpoints run; undefined for one that does not say. */
export function nodesOf(slices: readonly EndpointSlice[]): readonly (string | undefined)[] {
  return [...new Set(slices.flatMap(({ endpoints }) => (endpoints ?? []).map(({ nodeName }) => nodeName || undefined)))];
}
