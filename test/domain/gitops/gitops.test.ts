import { describe, expect, it, test } from 'vitest';
import { parse, parseAllDocuments } from 'yaml';
import { briefOf, snippetOf } from '../../../activities/planning/snippet.ts';
import { type GitOpsSource, gitOpsSource, type Marks, sourceName } from '../../../src/domain/gitops/source.ts';
import { type Changed, syncingOf, syncingWords } from '../../../src/domain/gitops/syncing.ts';
import { driftWords, healerOf } from '../../../src/domain/gitops/tool.ts';

const ROUTE = { apiVersion: 'gateway.networking.k8s.io/v1', kind: 'HTTPRoute', namespace: 'shop', name: 'web' };
const WEIGHTS = ['/spec/rules/0/backendRefs/0/weight', '/spec/rules/0/backendRefs/1/weight'];
const route = (metadata: Marks = {}, pointers: readonly string[] = WEIGHTS): Changed => ({ ref: ROUTE, metadata, pointers });
const ARGO: GitOpsSource = { tool: 'Argo CD', kind: 'Application', name: 'shop' };
const FLUX: GitOpsSource = { tool: 'Flux', kind: 'Kustomization', name: 'shop', namespace: 'flux-system' };
const HELM: GitOpsSource = { tool: 'Flux', kind: 'HelmRelease', name: 'shop', namespace: 'apps' };

describe('who applies an object, by its marks', () => {
  test.each<[string, Marks]>([
    [
      'Argo CD application shop',
      { annotations: { 'argocd.argoproj.io/tracking-id': 'shop:gateway.networking.k8s.io/HTTPRoute:shop/web' } },
    ],
    ['Argo CD application team/shop', { annotations: { 'argocd.argoproj.io/tracking-id': 'team_shop:apps/Deployment:shop/web' } }],
    ['Argo CD application shop', { labels: { 'argocd.argoproj.io/instance': 'shop' } }],
    ['Argo CD', { managedFields: [{ manager: 'argocd-controller' }] }],
    ['Argo CD application web', { labels: { 'app.kubernetes.io/instance': 'web' }, managedFields: [{ manager: 'argocd-controller' }] }],
    [
      'Flux Kustomization flux-system/shop',
      { labels: { 'kustomize.toolkit.fluxcd.io/name': 'shop', 'kustomize.toolkit.fluxcd.io/namespace': 'flux-system' } },
    ],
    ['Flux', { managedFields: [{ manager: 'kustomize-controller' }] }],
    ['Flux HelmRelease apps/shop', { labels: { 'helm.toolkit.fluxcd.io/name': 'shop', 'helm.toolkit.fluxcd.io/namespace': 'apps' } }],
    ['Flux', { managedFields: [{ manager: 'helm-controller' }] }],
  ])('%s', (name, marks) => {
    const source = gitOpsSource(marks);
    expect(source && sourceName(source)).toBe(name);
  });

  test.each<[string, Marks]>([
    ['no mark', {}],
    ["Helm's own label", { labels: { 'app.kubernetes.io/instance': 'web', 'app.kubernetes.io/managed-by': 'Helm' } }],
    ['kubectl', { managedFields: [{ manager: 'kubectl-client-side-apply' }, { manager: 'meshops' }] }],
  ])('%s says nothing', (_, marks) => expect(gitOpsSource(marks)).toBeUndefined());
});

describe('when Git would come back', () => {
  const application = (syncPolicy: object, ignoreDifferences: readonly object[] = []) => ({ spec: { ignoreDifferences, syncPolicy } });
  const healing = { automated: { selfHeal: true }, syncOptions: ['RespectIgnoreDifferences=true'] };
  const rule = { group: 'gateway.networking.k8s.io', kind: 'HTTPRoute', jqPathExpressions: ['.spec.rules[]?.backendRefs[]?.weight'] };

  test.each<[string, unknown, object]>([
    ['not known', undefined, { writes: 'at its next sync, within seconds if it heals itself' }],
    ['heals itself', application({ automated: { selfHeal: true } }), { writes: 'within seconds, since it heals itself' }],
    ['automatic', application({ automated: {} }), { writes: 'at its next sync, which a commit begins' }],
    ['switched off', application({ automated: { enabled: false, selfHeal: true } }), { writes: 'when somebody syncs it' }],
    ['by hand', application({}), { writes: 'when somebody syncs it' }],
    ['ignores the weights', application(healing, [rule]), { leaves: 'ignores these fields' }],
    ['ignores all of the spec', application(healing, [{ kind: 'HTTPRoute', jsonPointers: ['/spec'] }]), { leaves: 'ignores these fields' }],
    ['trusts meshops', application(healing, [{ kind: '*', managedFieldsManagers: ['meshops'] }]), { leaves: 'ignores these fields' }],
    ['ignores another route', application(healing, [{ ...rule, name: 'api' }]), { writes: 'within seconds, since it heals itself' }],
    [
      'ignores another field',
      application(healing, [{ ...rule, jqPathExpressions: ['.spec.hostnames'] }]),
      { writes: 'within seconds, since it heals itself' },
    ],
    [
      'ignores, but writes with each sync',
      application({ automated: { selfHeal: true } }, [rule]),
      { writes: 'at its next sync: it ignores the difference, but RespectIgnoreDifferences=true is missing' },
    ],
  ])('an application that is %s', (_, live, expected) => expect(syncingOf(ARGO, route(), live)).toEqual(expected));

  test.each<[string, GitOpsSource, Marks, unknown, object]>([
    ['not known', FLUX, {}, undefined, { writes: 'at its next reconciliation' }],
    ['every 10 minutes', FLUX, {}, { spec: { interval: '10m' } }, { writes: 'at its next reconciliation, 10m apart' }],
    ['suspended', FLUX, {}, { spec: { interval: '10m', suspend: true } }, { leaves: 'is suspended' }],
    [
      'told to leave the object',
      FLUX,
      { annotations: { 'kustomize.toolkit.fluxcd.io/reconcile': 'disabled' } },
      { spec: {} },
      { leaves: 'does not reconcile this object' },
    ],
    [
      'creating only',
      FLUX,
      { annotations: { 'kustomize.toolkit.fluxcd.io/ssa': 'IfNotPresent' } },
      { spec: {} },
      { leaves: 'has only created this object' },
    ],
    ['a release', HELM, {}, { spec: { interval: '5m' } }, { writes: 'at its next upgrade' }],
    [
      'a release with drift detection',
      HELM,
      {},
      { spec: { interval: '5m', driftDetection: { mode: 'enabled' } } },
      { writes: 'at its next reconciliation, 5m apart' },
    ],
  ])('Flux, %s', (_, source, marks, live, expected) => expect(syncingOf(source, route(marks), live)).toEqual(expected));

  it('is one sentence of the plan', () => {
    expect(syncingWords(ARGO, route(), { writes: 'within seconds, since it heals itself' })).toBe(
      "Argo CD application shop applies shop/web and would write Git's values back within seconds, since it heals itself. The file in the thread says how it leaves them alone.",
    );
    expect(syncingWords(FLUX, route(), { leaves: 'is suspended' })).toBe(
      'Flux Kustomization flux-system/shop applies shop/web, but is suspended: it leaves this change alone.',
    );
  });
});

describe('the snippet', () => {
  it('makes Argo CD leave the weights alone: what it says is what is read back as left alone', () => {
    const text = snippetOf(ARGO, route());
    expect(text).toContain('Application argocd/shop');
    const pasted = parse(text) as { spec: { syncPolicy: object } };
    const live = { spec: { ...pasted.spec, syncPolicy: { ...pasted.spec.syncPolicy, automated: { selfHeal: true } } } };
    expect(syncingOf(ARGO, route(), live)).toEqual({ leaves: 'ignores these fields' });
  });

  it('names the rules where a rule is put in, and the spec of a policy', () => {
    const rules = route({}, ['/spec/rules']);
    expect(parse(snippetOf(ARGO, rules))).toMatchObject({ spec: { ignoreDifferences: [{ jsonPointers: ['/spec/rules'] }] } });
    const policy: Changed = {
      ref: { apiVersion: 'cilium.io/v2', kind: 'CiliumNetworkPolicy', namespace: 'shop', name: 'web' },
      metadata: {},
      pointers: ['/spec', '/specs'],
    };
    expect(parse(snippetOf(ARGO, policy))).toMatchObject({
      spec: { ignoreDifferences: [{ group: 'cilium.io', jsonPointers: ['/spec', '/specs'] }] },
    });
  });

  it('suspends Flux, or one object of it', () => {
    const text = snippetOf(FLUX, route());
    expect(text).toContain('flux suspend kustomization shop -n flux-system');
    expect(text).toContain(
      'kubectl annotate httproute.gateway.networking.k8s.io web -n shop kustomize.toolkit.fluxcd.io/reconcile=disabled',
    );
    expect(text).toContain('kustomize.toolkit.fluxcd.io/ssa: IfNotPresent');
    const release = snippetOf(HELM, route());
    expect(release).toContain('flux suspend helmrelease shop -n apps');
    const [document] = parseAllDocuments(release.slice(release.indexOf('spec:')));
    expect(document?.toJS()).toEqual({
      spec: { driftDetection: { ignore: [{ paths: WEIGHTS, target: { kind: 'HTTPRoute', name: 'web' } }] } },
    });
  });

  it('is one sentence in a refusal', () => {
    expect(briefOf(ARGO, route())).toBe(
      "Give Application argocd/shop the ignoreDifferences `{group: gateway.networking.k8s.io, kind: HTTPRoute, name: web, jqPathExpressions: ['.spec.rules[]?.backendRefs[]?.weight']}` and the sync option `RespectIgnoreDifferences=true`",
    );
    expect(briefOf(FLUX, route())).toBe('Suspend it first: `flux suspend kustomization shop -n flux-system`');
  });
});

describe('what was written back', () => {
  const drift = { object: 'HTTPRoute/shop/web', field: '/spec/rules/0/backendRefs/1/weight', found: '0' };

  it('is told apart from what a person changed', () => {
    expect(driftWords({ ...drift, manager: 'argocd-controller' })).toBe(
      'Argo CD (argocd-controller) wrote /spec/rules/0/backendRefs/1/weight of HTTPRoute/shop/web back to 0, as Git has it, while this was watched.',
    );
    expect(driftWords({ ...drift, manager: 'kubectl-edit' })).toBe(
      'kubectl-edit changed /spec/rules/0/backendRefs/1/weight of HTTPRoute/shop/web to 0 while this was watched.',
    );
    expect(driftWords({ ...drift, manager: '' })).toContain('Somebody else changed');
  });

  it('is a tool only where nobody else has changed anything', () => {
    const by = (manager?: string) => ({ field: drift.field, ...(manager !== undefined && { manager }) });
    expect(healerOf([by('argocd-controller'), by('argocd-application-controller')])).toBe('Argo CD');
    expect(healerOf([by('kustomize-controller')])).toBe('Flux');
    expect(healerOf([by('argocd-controller'), by('kubectl-edit')])).toBeUndefined();
    expect(healerOf([by('argocd-controller'), by()])).toBeUndefined();
    expect(healerOf([])).toBeUndefined();
  });
});
