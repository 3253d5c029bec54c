import * as z from 'zod';

/** What meshops reads of a route. Everything else stays in the object untouched: only the managed fields are ever written. */
const BackendRef = z.object({
  group: z.string().optional(),
  kind: z.string().optional(),
  name: z.string(),
  namespace: z.string().optional(),
  port: z.number().optional(),
  weight: z.number().int().min(0).max(1_000_000).optional(),
});
const ParentRef = z.object({
  group: z.string().optional(),
  kind: z.string().optional(),
  name: z.string(),
  namespace: z.string().optional(),
  sectionName: z.string().optional(),
  port: z.number().optional(),
});
const Route = z.object({
  apiVersion: z.string(),
  kind: z.string(),
  metadata: z.object({
    name: z.string(),
    namespace: z.string(),
    uid: z.string(),
    generation: z.number().int(),
    annotations: z.record(z.string(), z.string()).optional(),
    labels: z.record(z.string(), z.string()).optional(),
    managedFields: z.array(z.object({ manager: z.string().optional() })).optional(),
    ownerReferences: z
      .array(z.object({ apiVersion: z.string(), kind: z.string(), name: z.string(), controller: z.boolean().optional() }))
      .optional(),
  }),
  spec: z.object({
    parentRefs: z.array(ParentRef).optional(),
    rules: z.array(z.object({ backendRefs: z.array(BackendRef).optional(), sessionPersistence: z.unknown().optional() })).optional(),
  }),
});

/** An HTTPRoute (or GRPCRoute: the same shape) as far as planning needs it. */
export type HttpRoute = z.infer<typeof Route>;
type RouteBackend = z.infer<typeof BackendRef>;

/** Reads one route as the API server gave it. Undefined when it has not the shape of one. */
export function parseRoute(value: unknown): HttpRoute | undefined {
  const parsed = Route.safeParse(value);
  return parsed.success ? parsed.data : undefined;
}

/** Annotation on a route that names the Service which receives a canary's share. */
export const CANARY_ANNOTATION = 'meshops.dev/canary';

/** Is this backend a Service of that name? Other kinds (ServiceImport, buckets) are never moved, only counted. */
export function isService(backend: RouteBackend, route: HttpRoute, namespace: string, name: string): boolean {
  const service = (backend.kind ?? 'Service') === 'Service' && (backend.group ?? '') === '';
  return service && backend.name === name && (backend.namespace ?? route.metadata.namespace) === namespace;
}

/** Is this Service a parent of the route (GAMMA: traffic inside the mesh)? */
export function isParent(route: HttpRoute, namespace: string, name: string): boolean {
  return (route.spec.parentRefs ?? []).some(
    (parent) => parent.kind === 'Service' && parent.name === name && (parent.namespace ?? route.metadata.namespace) === namespace,
  );
}

/** `namespace/name`, as people write a route. */
export function routeName(route: HttpRoute): string {
  return `${route.metadata.namespace}/${route.metadata.name}`;
}

/** One rule that is moved: where it stands, and which of its backends receive. */
export interface MovedRule {
  readonly route: HttpRoute;
  readonly index: number;
  readonly backends: readonly { readonly name: string; readonly weight: number; readonly receives: boolean }[];
}
