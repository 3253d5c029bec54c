import { type Prometheus, PrometheusFailure, type Sample } from '../../../src/clients/prometheus/prometheus.ts';
import type { Faults } from './faults.ts';
import { NAMESPACE } from './mesh.ts';

/** Envoy's counters of requests that reached no pod, as Prometheus has them. */
export class Counters {
  readonly #unreached = new Map<string, number>();

  /** One more request for this Service found no endpoint. */
  unreached(service: string): void {
    this.#unreached.set(service, (this.#unreached.get(service) ?? 0) + 1);
  }

  samples(at: number): readonly Sample[] {
    return [...this.#unreached].map(([service, value]) => ({
      labels: {
        __name__: 'envoy_cluster_upstream_cx_none_healthy',
        envoy_cluster_name: `${NAMESPACE}/cilium-gateway-mesh/${NAMESPACE}_${service}_80`,
        instance: 'envoy',
        job: 'envoy',
      },
      at,
      value,
    }));
  }
}

/** `now`: its own clock. */
export function modelPrometheus(counters: Counters, faults: Faults, now: () => number): Prometheus {
  const fail = (): Error => new PrometheusFailure('Prometheus does not answer');
  return {
    instant: (_query, { signal }) => faults.call('prometheus', () => counters.samples(now()), fail, { ms: 2, deadlineMs: 2_000, signal }),
    range: (_query, { signal }) => faults.call('prometheus', () => [], fail, { ms: 2, deadlineMs: 2_000, signal }),
  };
}
