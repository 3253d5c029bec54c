import * as z from 'zod';
import type { JsonObject } from '../json.ts';
import type { Target } from '../target.ts';
import { isServiceHere } from './receiver.ts';
import { type MovedRule } from './route.ts';
import { refOf } from './stages.ts';

const Parent = z.object({ kind: z.string(), namespace: z.string(), name: z.string() });
const Ref = z.object({ apiVersion: z.string(), kind: z.string(), namespace: z.string(), name: z.string() });

/** `details` of a canary's plan: what its watch must look at. */
export const CanaryDetails = z.object({
  namespace: z.string(),
  /** The Service that receives the share. */
  receiver: z.string(),
  /** The other Services of `namespace` in the rules that move: the control. */
  others: z.array(z.string()),
  /** `gateway`: from outside through a Gateway. `service`: inside the mesh (GAMMA). */
  traffic: z.array(z.enum(['gateway', 'service'])),
  routes: z.array(z.object({ ref: Ref, parents: z.array(Parent), rules: z.array(z.number()) })),
  /** Routes of other namespaces that name a Service of this plan and are not moved: `namespace/name`. */
  elsewhere: z.array(z.string()),
  /** Why the operation's requests are not drawn at random, one by one (a header, sessions that stick): nothing is compared then. */
  unsplit: z.string().exactOptional(),
  /** What the other backends did just before the plan, in `ms`; absent where no record of it was left. */
  baseline: z.object({ requests: z.number(), failures: z.number(), drops: z.number().exactOptional(), ms: z.number() }).exactOptional(),
  /** Nodes that reported this traffic just before the plan. */
  carriers: z.array(z.string()).exactOptional(),
});
export type CanaryDetails = z.infer<typeof CanaryDetails>;

export function detailsOf(
  service: Pick<Target, 'namespace'>,
  receiver: string,
  rules: readonly MovedRule[],
  elsewhere: readonly string[],
): CanaryDetails {
  const routes = [...new Set(rules.map(({ route }) => route))].map((route) => ({
    ref: { ...refOf(route) },
    parents: (route.spec.parentRefs ?? []).map(({ kind = 'Gateway', namespace = route.metadata.namespace, name }) => ({
      kind,
      namespace,
      name,
    })),
    rules: rules.filter((rule) => rule.route === route).map(({ index }) => index),
  }));
  const kinds = new Set(
    routes.flatMap(({ parents }) => parents.map(({ kind }) => (kind === 'Service' ? 'service' : 'gateway') as 'service' | 'gateway')),
  );
  // A Service of another namespace that has the same name is another one: compared with it, the wrong pods would count.
  const others = new Set(
    rules.flatMap((rule) =>
      rule.backends.filter(({ receives }, at) => !receives && isServiceHere(rule, at, service.namespace)).map(({ name }) => name),
    ),
  );
  const sticky = rules.some(({ route, index }) => route.spec.rules?.[index]?.sessionPersistence !== undefined);
  const unsplit = sticky ? { unsplit: 'its sessions stick to one backend' } : {};
  return {
    ...unsplit,
    namespace: service.namespace,
    receiver,
    others: [...others],
    traffic: [...kinds],
    routes,
    elsewhere: [...elsewhere],
  };
}

/** The same as JSON, for `Plan.details`. */
export function detailsJson(details: CanaryDetails): JsonObject {
  return { ...details };
}
