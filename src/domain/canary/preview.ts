// What a share would mean for each Service of a rule, before anything is planned: for a form that is being filled in.
import type { Target } from '../target.ts';
import { findReceiver, names } from './receiver.ts';
import type { HttpRoute } from './route.ts';
import { shareOf, shiftWeights } from './weights.ts';

/** A Service that routes split, with the share of the one that could receive (percent). */
export interface Splittable {
  readonly namespace: string;
  readonly name: string;
  readonly canary: string;
  readonly share: number;
}

export interface PreviewedShare {
  readonly name: string;
  /** Percent. */
  readonly before: number;
  readonly after: number;
}

/** Services that have somebody beside them who could receive a share; each of them once. */
export function splittable(routes: readonly HttpRoute[]): readonly Splittable[] {
  const found = new Map<string, Splittable>();
  for (const route of routes) {
    const { namespace } = route.metadata;
    for (const name of new Set((route.spec.rules ?? []).flatMap(({ backendRefs = [] }) => backendRefs.map((backend) => backend.name)))) {
      const key = `${namespace}/${name}`;
      const receiver = found.has(key) ? undefined : receiverOf(routes, { cluster: '', namespace, name });
      const [rule] = receiver?.kind === 'found' ? receiver.rules : [];
      if (receiver?.kind === 'found' && receiver.name !== name && rule)
        found.set(key, { namespace, name, canary: receiver.name, share: shareOf(rule.backends) });
    }
  }
  return [...found.values()].toSorted((a, b) => `${a.namespace}/${a.name}`.localeCompare(`${b.namespace}/${b.name}`));
}

/** The shares of a Service's first rule now and with `percent` for its canary; undefined where the plan would have to ask. */
export function previewShares(routes: readonly HttpRoute[], service: Target, percent: number): readonly PreviewedShare[] | undefined {
  const receiver = receiverOf(routes, service);
  const [rule] = receiver.kind === 'found' ? receiver.rules : [];
  const weights = rule && shiftWeights(rule.backends, percent);
  if (!rule || !weights) return undefined;
  const total = rule.backends.reduce((all, { weight }) => all + weight, 0);
  const whole = weights.reduce((all, weight) => all + weight, 0);
  const share = (part: number, of: number): number => (of === 0 ? 0 : (part * 100) / of);
  return rule.backends.map(({ name, weight }, at) => ({ name, before: share(weight, total), after: share(weights[at] ?? 0, whole) }));
}

function receiverOf(routes: readonly HttpRoute[], service: Target): ReturnType<typeof findReceiver> {
  const own = routes.filter((route) => route.metadata.namespace === service.namespace && names(route, service));
  return findReceiver(own, service, false);
}
