import type { Sample } from './prometheus.ts';

/** How much one counter has grown since it was looked at before. */
export interface Increase {
  readonly labels: Sample['labels'];
  readonly at: number;
  readonly by: number;
  /** Its value now: with the labels it names this growth once and for all. */
  readonly value: number;
}

/** Counters looked at again and again. */
export interface Counters {
  /** What has grown since the last look. The first look of an instance is where counting begins. */
  look(samples: readonly Sample[]): readonly Increase[];
}

/**
 * A counter that is smaller than before has begun anew, so all of its value is growth. One that appears on an instance that is
 * known was zero: Envoy makes some counters with their first event.
 */
export function createCounters(): Counters {
  const last = new Map<string, number>();
  const instances = new Set<string>();
  return {
    look(samples) {
      const known = new Set(instances);
      return samples.flatMap(({ labels, at, value }) => {
        const key = JSON.stringify(Object.entries(labels).toSorted(([a], [b]) => a.localeCompare(b)));
        const instance = `${labels['job'] ?? ''} ${labels['instance'] ?? ''}`;
        const before = last.get(key) ?? (known.has(instance) ? 0 : value);
        last.set(key, value);
        instances.add(instance);
        const by = value < before ? value : value - before;
        return by > 0 ? [{ labels, at, by, value }] : [];
      });
    },
  };
}
