import { must } from './scenario.ts';
import type { Scene } from './scene.ts';

/**
 * What Argo CD does to one route, and no more: every few seconds it applies what Git has under its own field manager, as with
 * `ServerSideApply=true` and self-heal. Fields that its Application ignores are applied as they are live (RespectIgnoreDifferences).
 */
const MANAGER = 'argocd-controller';
const EVERY_MS = 3_000;
const ROUTE = '/apis/gateway.networking.k8s.io/v1/namespaces/backend/httproutes/backend';
const CRD = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions/applications.argoproj.io';
const APPLICATION = '/apis/argoproj.io/v1alpha1/namespaces/argocd/applications/shop';
const WEIGHTS = '.spec.rules[]?.backendRefs[]?.weight';

interface Route {
  readonly metadata: { readonly resourceVersion: string; readonly managedFields: readonly object[] };
  readonly spec: { readonly rules: readonly { readonly backendRefs: readonly { readonly weight?: number }[] }[] };
}
interface ApplicationSpec {
  readonly ignoreDifferences?: readonly { readonly jqPathExpressions?: readonly string[] }[];
  readonly syncPolicy?: { readonly syncOptions?: readonly string[] };
}

export interface Argo {
  /** Times at which a value was written back (epoch ms). */
  readonly healed: readonly number[];
  /** Merges what people paste into the Application. */
  merge(spec: ApplicationSpec): Promise<void>;
  /** Ends it and takes every mark off again. */
  stop(): Promise<void>;
}

/** Puts the demo route under Argo CD's care. Resolves once the first sync is through. */
export async function startArgo(scene: Scene): Promise<Argo> {
  await scene.put(CRD, definition());
  await scene.until(async () => (await status(scene, CRD)) === 'True', 'the kind Application');
  await scene.put('/api/v1/namespaces/argocd', { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'argocd' } });
  const spec: ApplicationSpec & object = { syncPolicy: { automated: { selfHeal: true }, syncOptions: ['ServerSideApply=true'] } as object };
  await scene.put(APPLICATION, application(spec));
  const { spec: inGit, metadata: before } = (await scene.route()) as Route;
  const healed: number[] = [];
  const stopped = new AbortController();
  const sync = async (): Promise<void> => {
    const live = (await scene.route()) as Route;
    const { spec: own } = (await scene.read(APPLICATION)) as { spec: ApplicationSpec };
    const wanted = ignoresWeights(own) ? withWeights(inGit, live.spec) : inGit;
    const differs = JSON.stringify(weightsOf(wanted)) !== JSON.stringify(weightsOf(live.spec));
    if ((await apply(scene, wanted, live.metadata.resourceVersion)) && differs) healed.push(Date.now());
  };
  await sync();
  const loop = (async () => {
    while (!stopped.signal.aborted) {
      await scene.wait(EVERY_MS);
      if (!stopped.signal.aborted) await sync();
    }
  })();
  return {
    healed,
    merge: async ({ ignoreDifferences, syncPolicy }) => {
      const options = [...(spec.syncPolicy?.syncOptions ?? []), ...(syncPolicy?.syncOptions ?? [])];
      const merged = { ...spec, ...(ignoreDifferences && { ignoreDifferences }), syncPolicy: { ...spec.syncPolicy, syncOptions: options } };
      await scene.put(APPLICATION, application(merged));
    },
    stop: async () => {
      stopped.abort();
      await loop;
      await unmark(scene, before);
      // Namespace and kind stay: nobody here ends the deletion of a namespace, and the next story needs both.
      await scene.remove(APPLICATION);
    },
  };
}

/** Applies the route; false where somebody else was quicker, as with a resourceVersion of before. */
async function apply(scene: Scene, spec: Route['spec'], resourceVersion: string): Promise<boolean> {
  const annotations = { 'argocd.argoproj.io/tracking-id': 'shop:gateway.networking.k8s.io/HTTPRoute:backend/backend' };
  const metadata = { name: 'backend', namespace: 'backend', annotations, resourceVersion };
  const answer = await scene.rig.stack.kube.api({
    method: 'PATCH',
    path: `${ROUTE}?fieldManager=${MANAGER}&force=true`,
    body: JSON.stringify({ apiVersion: 'gateway.networking.k8s.io/v1', kind: 'HTTPRoute', metadata, spec }),
    contentType: 'application/apply-patch+yaml',
    signal: AbortSignal.timeout(5_000),
  });
  must(answer.status < 300 || answer.status === 409, `the route was not applied (${answer.status}): ${answer.body.slice(0, 300)}`);
  return answer.status < 300;
}

/**
 * Marks stay on an object whatever becomes of the Application: they are taken off by hand. The owners of its fields are as before: an object
 * without any is one whose later changes the API server puts down to nobody.
 */
async function unmark(scene: Scene, { managedFields }: Route['metadata']): Promise<void> {
  const body = JSON.stringify({ metadata: { annotations: { 'argocd.argoproj.io/tracking-id': null }, managedFields } });
  const contentType = 'application/merge-patch+json';
  const signal = AbortSignal.timeout(5_000);
  const answer = await scene.rig.stack.kube.api({ method: 'PATCH', path: ROUTE, body, contentType, signal });
  must(answer.status === 200, `the marks were not taken off (${answer.status})`);
}

function ignoresWeights({ ignoreDifferences = [], syncPolicy }: ApplicationSpec): boolean {
  const ignores = ignoreDifferences.some(({ jqPathExpressions = [] }) => jqPathExpressions.includes(WEIGHTS));
  return ignores && syncPolicy?.syncOptions?.includes('RespectIgnoreDifferences=true') === true;
}

function weightsOf({ rules }: Route['spec']): readonly (readonly (number | undefined)[])[] {
  return rules.map(({ backendRefs }) => backendRefs.map(({ weight }) => weight));
}

function withWeights(spec: Route['spec'], live: Route['spec']): Route['spec'] {
  const rules = spec.rules.map((rule, index) => ({
    ...rule,
    backendRefs: rule.backendRefs.map((backend, at) => ({
      ...backend,
      weight: live.rules[index]?.backendRefs[at]?.weight ?? backend.weight ?? 1,
    })),
  }));
  return { ...spec, rules };
}

async function status(scene: Scene, path: string): Promise<string | undefined> {
  const { status: now } = (await scene.read(path)) as { status?: { conditions?: readonly { type: string; status: string }[] } };
  return now?.conditions?.find(({ type }) => type === 'Established')?.status;
}

function application(spec: object): object {
  return { apiVersion: 'argoproj.io/v1alpha1', kind: 'Application', metadata: { name: 'shop', namespace: 'argocd' }, spec };
}

function definition(): object {
  const names = { kind: 'Application', plural: 'applications', singular: 'application', listKind: 'ApplicationList' };
  const openAPIV3Schema = { type: 'object', 'x-kubernetes-preserve-unknown-fields': true };
  const versions = [{ name: 'v1alpha1', served: true, storage: true, schema: { openAPIV3Schema } }];
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: {
      name: 'applications.argoproj.io',
      annotations: { 'api-approved.kubernetes.io': 'unapproved, a stand-in for the playground' },
    },
    spec: { group: 'argoproj.io', scope: 'Namespaced', names, versions },
  };
}
