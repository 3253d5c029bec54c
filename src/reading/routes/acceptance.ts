import type { Condition, ParentRef, Route } from '../../clients/kubernetes/objects.ts';
import type { ControllerOf } from './controllers.ts';

/** The first parent that has not taken the route as it is now. */
interface Refusing {
  /** `Gateway backend/mesh`, as people write it. */
  readonly by: string;
  readonly reason: string;
}

const NEEDED = ['Accepted', 'ResolvedRefs'] as const;

/**
 * Undefined when the controller of every parent says Accepted and ResolvedRefs for `generation` or a later one. Gateway API: conditions
 * carry the generation they were made for; an older one says nothing about what was written since. What other controllers have left
 * there is not asked.
 */
export function refusingParent(route: Route, generation: number, controllerOf: ControllerOf): Refusing | undefined {
  const parents = route.spec.parentRefs ?? [];
  if (parents.length === 0) return { by: 'any parent', reason: 'it names none' };
  for (const parent of parents) {
    const controller = controllerOf(parent, route);
    const statuses = (route.status?.parents ?? []).filter(
      ({ parentRef, controllerName }) => controllerName === controller && sameParent(parentRef, parent, route),
    );
    const by = nameOf(parent, route);
    if (statuses.length === 0) return { by, reason: `its controller ${controller} has said nothing about it` };
    for (const { conditions = [] } of statuses) {
      const reason = reasonAgainst(conditions, generation);
      if (reason) return { by, reason: `${controller}: ${reason}` };
    }
  }
  return undefined;
}

function reasonAgainst(conditions: readonly Condition[], generation: number): string | undefined {
  for (const type of NEEDED) {
    const condition = conditions.find((each) => each.type === type);
    if (!condition) return `${type} is not reported`;
    if ((condition.observedGeneration ?? 0) < generation)
      return `${type} is about generation ${condition.observedGeneration ?? 0}, not ${generation}`;
    if (condition.status !== 'True') return [condition.reason ?? type, condition.message].filter(Boolean).join(': ');
  }
  return undefined;
}

function sameParent(a: ParentRef, b: ParentRef, route: Route): boolean {
  const own = route.metadata.namespace;
  return (
    a.name === b.name &&
    (a.kind ?? 'Gateway') === (b.kind ?? 'Gateway') &&
    (a.namespace ?? own) === (b.namespace ?? own) &&
    a.sectionName === b.sectionName &&
    a.port === b.port
  );
}

function nameOf(parent: ParentRef, route: Route): string {
  return `${parent.kind ?? 'Gateway'} ${parent.namespace ?? route.metadata.namespace ?? ''}/${parent.name}`;
}
