import type { ObjectRef, Write } from '../lifecycle/plan.ts';
import type { HttpRoute } from './route.ts';
import { indexOf, rulesIn, shareIn } from './rule-fields.ts';

/** A Service that gets a larger share than it has now. `share`: what it gets, 0..1. */
export interface Gainer {
  readonly namespace: string;
  readonly name: string;
  readonly share: number;
}

/** Who gains when these writes are made, by the largest share; only Services, since nothing is known of other kinds. */
export function gainersAt(writes: readonly Write[], routeOf: (object: ObjectRef) => HttpRoute | undefined): readonly Gainer[] {
  const gainers = new Map<string, Gainer>();
  for (const { object, before, after } of writes) {
    const route = routeOf(object);
    for (const { rule, backends } of rulesIn(before)) {
      const refs = route?.spec.rules?.[indexOf(rule)]?.backendRefs ?? [];
      for (const [at, base] of backends.entries()) {
        const share = shareIn(after, backends, base);
        const ref = refs[at];
        const isService = (ref?.kind ?? 'Service') === 'Service' && (ref?.group ?? '') === '';
        if (!ref || !isService || share <= shareIn(before, backends, base) + 1e-9) continue;
        const namespace = ref.namespace ?? object.namespace;
        const key = `${namespace}/${ref.name}`;
        if ((gainers.get(key)?.share ?? 0) < share) gainers.set(key, { namespace, name: ref.name, share });
      }
    }
  }
  return [...gainers.values()];
}
