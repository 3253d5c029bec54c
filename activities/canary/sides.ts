import type { EndpointSlice } from '../clients/kubernetes/objects.ts';

export type Side = 'canary' | 'stable';

/** Who belongs to which side, as far as it is known; pods that have gone stay known, since their last answers come later. */
export class Sides {
  readonly #pods = new Map<string, Side>();
  readonly #addresses = new Map<string, Side>();
  readonly #services = new Map<string, Side>();

  /** `key`: a Service as `namespace/name`. Its cluster addresses stand for requests that reached no pod. */
  service(key: string, side: Side, addresses: readonly string[]): void {
    this.#services.set(key, side);
    for (const address of addresses) this.#addresses.set(address, side);
  }

  endpoints(side: Side, slices: readonly EndpointSlice[]): void {
    for (const { metadata, endpoints } of slices) {
      for (const { addresses, targetRef } of endpoints ?? []) {
        for (const address of addresses) this.#addresses.set(address, side);
        if (targetRef?.kind === 'Pod' && targetRef.name)
          this.#pods.set(`${targetRef.namespace ?? metadata.namespace}/${targetRef.name}`, side);
      }
    }
  }

  /** By pod name, else address, else Service: Hubble's workload is empty where the pod runs on another node (cilium/cilium #48812). */
  of(end: {
    readonly pod?: string | undefined;
    readonly address?: string | undefined;
    readonly service?: string | undefined;
  }): Side | undefined {
    return this.#pods.get(end.pod ?? '') ?? this.#addresses.get(end.address ?? '') ?? this.#services.get(end.service ?? '');
  }
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
