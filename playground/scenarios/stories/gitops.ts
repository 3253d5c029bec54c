import { parse } from 'yaml';
import { startArgo } from '../argo.ts';
import { CHANNEL } from '../operation.ts';
import { must, type Scenario } from '../scenario.ts';
import { CANARY, type Scene } from '../scene.ts';
import { approve } from './canary.ts';
import { GOOD } from './policy-candidates.ts';
import { POLICY, propose } from './policy-steps.ts';

/** Stories of objects that somebody else writes: a GitOps tool that heals itself, and a controller that owns them. */

const ROUTE = '/apis/gateway.networking.k8s.io/v1/namespaces/backend/httproutes/backend';
const FILE = 'gitops-backend.yaml';

const selfHeal: Scenario = {
  name: 'gitops-selfheal',
  story:
    'Argo CD applies the route every 3 s: the plan says so, what it writes back is told as that, and the snippet makes it leave the weights alone',
  play: async (scene) => {
    const argo = await startArgo(scene);
    try {
      const operation = await scene.begin('/mesh canary backend 10% --soak 6s');
      await operation.said(/Argo CD application shop applies backend\/backend and would write Git/, 'who would write the weights back');
      await approve(operation);
      const held = await operation.phase('holding');
      const { verdict } = held;
      must(verdict?.kind === 'drift' && verdict.tool === 'Argo CD', `the verdict is ${JSON.stringify(verdict)}`);
      must(verdict.words.includes('Argo CD (argocd-controller) wrote'), `the words are: ${verdict.words}`);
      must((await scene.weight(CANARY)) === 0, 'Git did not come back');
      await operation.seen((message) => JSON.stringify(message.blocks ?? []).includes('Argo CD wrote Git'), 'that Argo CD wrote it back');
      const { drive } = scene.rig.slack;
      const snippet = await drive.waitFor(() => drive.fileText(drive.thread(CHANNEL, operation.ts), FILE), {
        what: `${FILE} in the thread`,
      });
      await argo.merge((parse(snippet) as { spec: object }).spec);
      const before = argo.healed.length;
      must((await operation.press('reviewer', 'meshops:restore')).ok, 'restore was not taken');
      const outcome = await operation.result();
      must(outcome.kind === 'completed', `the outcome is ${outcome.kind}: ${outcome.words}`);
      must((await scene.weight(CANARY)) === 10, 'the canary does not have its 10%');
      must(argo.healed.length === before, 'Argo CD wrote the weights back although it ignores them');
      return { operation, extra: { healed: argo.healed.length, words: verdict.words } };
    } finally {
      await argo.stop();
    }
  },
};

const refused: Scenario = {
  name: 'gitops-refused',
  story: 'with `gitops: refuse` nothing is planned that Argo CD would write back; once it ignores the weights, everything goes on',
  tuning: { settings: { gitops: 'refuse' } },
  play: async (scene) => {
    const argo = await startArgo(scene);
    try {
      const first = await (await scene.begin('/mesh canary backend 10%')).result();
      must(
        first.kind === 'impossible' && first.words.includes('Argo CD application shop applies'),
        `it ended ${first.kind}: ${first.words}`,
      );
      must(first.words.includes('RespectIgnoreDifferences=true'), `the refusal does not help: ${first.words}`);
      const rule = { jqPathExpressions: ['.spec.rules[]?.backendRefs[]?.weight'] };
      await argo.merge({ ignoreDifferences: [rule], syncPolicy: { syncOptions: ['RespectIgnoreDifferences=true'] } });
      const operation = await scene.begin('/mesh canary backend 10%');
      await approve(operation);
      const outcome = await operation.result();
      must(outcome.kind === 'completed', `the outcome is ${outcome.kind}: ${outcome.words}`);
      must(argo.healed.length === 0, 'Argo CD wrote something back');
      return { operation, extra: { refusal: first.words } };
    } finally {
      await argo.stop();
    }
  },
};

/** Owners are only names here: nobody collects what has lost them. */
async function own(scene: Scene, owners: readonly object[], annotation: string | null): Promise<void> {
  const metadata = { ownerReferences: owners, annotations: { 'meshops.dev/allow-owner': annotation } };
  const contentType = 'application/merge-patch+json';
  const signal = AbortSignal.timeout(5_000);
  const answer = await scene.rig.stack.kube.api({ method: 'PATCH', path: ROUTE, body: JSON.stringify({ metadata }), contentType, signal });
  must(answer.status === 200, `the owner was not set (${answer.status}): ${answer.body.slice(0, 300)}`);
}

function owner(apiVersion: string, kind: string, name: string): object {
  return {
    apiVersion,
    kind,
    name,
    uid: '7d1c2c0e-0000-4000-8000-000000000001',
    controller: true,
  };
}

const controllerOwned: Scenario = {
  name: 'controller-owned',
  story: 'a route with a controlling owner is refused, and the owner named; one that leaves weights alone is allowed by an annotation',
  play: async (scene) => {
    const said: string[] = [];
    const refusedAs = async (owners: readonly object[], named: string): Promise<void> => {
      await own(scene, owners, null);
      const outcome = await (await scene.begin('/mesh canary backend 10%')).result();
      must(outcome.kind === 'impossible' && outcome.words.includes(named), `it ended ${outcome.kind}: ${outcome.words}`);
      must((await scene.weight(CANARY)) === 0, 'something was changed');
      said.push(outcome.words);
    };
    try {
      await refusedAs([owner('argoproj.io/v1alpha1', 'Rollout', 'backend')], 'Rollout backend (argoproj.io/v1alpha1)');
      await refusedAs([owner('flagger.app/v1beta1', 'Canary', 'backend')], 'Canary backend (flagger.app/v1beta1)');
      const inference = owner('serving.kserve.io/v1beta1', 'InferenceService', 'iris');
      await refusedAs([inference], 'meshops.dev/allow-owner: InferenceService/iris');
      await own(scene, [inference], 'InferenceService/iris');
      const operation = await scene.begin('/mesh canary backend 10%');
      await approve(operation);
      const outcome = await operation.result();
      must(outcome.kind === 'completed', `the outcome is ${outcome.kind}: ${outcome.words}`);
      return { operation, extra: { said } };
    } finally {
      await own(scene, [], null);
    }
  },
};

const FLUX = { 'kustomize.toolkit.fluxcd.io/name': 'mesh', 'kustomize.toolkit.fluxcd.io/namespace': 'flux-system' };
const CANDIDATE = `${GOOD}    - toEntities: [host]\n`;

/** A policy that is in the cluster already, as somebody else has put it there. */
async function putPolicy(scene: Scene, metadata: object): Promise<void> {
  const policy = parse(GOOD) as { metadata: object };
  await scene.put(POLICY, { ...policy, metadata: { ...policy.metadata, ...metadata } });
}

const ofPolicies: Scenario = {
  name: 'gitops-policy',
  story: 'a policy that a controller owns is refused; one that Flux applies is planned with a word about it and how to suspend it',
  play: async (scene) => {
    try {
      await propose(scene, CANDIDATE);
      await putPolicy(scene, { ownerReferences: [owner('policies.example.com/v1', 'AppPolicy', 'frontend')] });
      const first = await (await scene.begin('/policy enforce frontend/frontend --window 10s')).result();
      const named = 'Policy frontend/frontend belongs to AppPolicy frontend (policies.example.com/v1)';
      must(first.kind === 'impossible' && first.words.includes(named), `it ended ${first.kind}: ${first.words}`);
      await putPolicy(scene, { labels: FLUX });
      const operation = await scene.begin('/policy enforce frontend/frontend --window 10s');
      const { drive } = scene.rig.slack;
      const text = (): string => JSON.stringify(drive.thread(CHANNEL, operation.ts));
      await drive.waitFor(() => text().includes('Flux Kustomization flux-system/mesh applies frontend/frontend'), {
        what: 'who applies it',
      });
      const file = 'gitops-frontend.yaml';
      const snippet = await drive.waitFor(() => drive.fileText(drive.thread(CHANNEL, operation.ts), file), {
        what: `${file} in the thread`,
      });
      must(snippet.includes('flux suspend kustomization mesh -n flux-system'), `the file says: ${snippet}`);
      await scene.type('/mesh abort frontend/frontend');
      const outcome = await operation.result();
      must(outcome.kind === 'aborted', `the outcome is ${outcome.kind}: ${outcome.words}`);
      return { operation, extra: { refusal: first.words } };
    } finally {
      await scene.remove(POLICY);
      await scene.remove('/api/v1/namespaces/frontend/configmaps/frontend-policy');
    }
  },
};

export const gitOpsStories: readonly Scenario[] = [selfHeal, refused, controllerOwned, ofPolicies];
