import type { Operation } from '../operation.ts';
import { must, type Played, type Scenario } from '../scenario.ts';
import type { Scene } from '../scene.ts';
import { GOOD, MISSING_PEER, PUBLIC_ONLY } from './policy-candidates.ts';
import { ended, enforce, POLICY, podsInCohorts, propose } from './policy-steps.ts';

/** Stories of what a policy operation promises: no stage opens anything, nobody accepts their own doubts, nobody loses protection unseen. */

const named = (name: string): string => POLICY.replace(/frontend$/, name);

/** A policy that somebody has made by other means, once it is in force. */
async function standing(scene: Scene, name: string, spec: object): Promise<void> {
  const metadata = { name, namespace: 'frontend' };
  await scene.put(named(name), { apiVersion: 'cilium.io/v2', kind: 'CiliumNetworkPolicy', metadata, spec });
  const { nodes, truth } = scene.rig.cilium;
  const isNew = ({ policy, inForceAt }: (typeof truth.policies.list)[number]): boolean =>
    policy.endsWith(`/${name}`) && inForceAt >= scene.began;
  // One node takes it after the other.
  const inForce = () => new Set(truth.policies.list.filter(isNew).map(({ node }) => node));
  await scene.until(() => nodes.every((node) => inForce().has(node.name)), `policy ${name} to be in force on every node`);
}

const blocksOf = (operation: Operation): string => JSON.stringify(operation.root().blocks);

/** Whoever asked may not answer; another person does. */
async function acceptedByAnother(scene: Scene, operation: Operation): Promise<void> {
  const heard = scene.heard('operator').length;
  await operation.press('operator', 'meshops:continue');
  await scene.until(() => scene.heard('operator').length > heard, 'the refusal of the own answer');
  must((await operation.view()).phase === 'holding', 'the requester has accepted what their own policy drops');
  await operation.answer('reviewer', 'meshops:continue');
}

const underDeny: Scenario = {
  name: 'policy-l7-under-deny',
  story: 'under a default deny the world gets GET /public/.* of a workload: at no moment of the rollout is DELETE /admin let through',
  play: async (scene) => {
    await standing(scene, 'earlier', {
      endpointSelector: { matchLabels: { app: 'frontend' } },
      ingress: [{ fromEndpoints: [{ matchLabels: { 'k8s:io.kubernetes.pod.namespace': 'external', app: 'external' } }] }],
    });
    const { clients } = scene.rig.cilium;
    const visitor = { to: 'frontend/frontend', everyMs: 50, ip: '198.51.100.77' } as const;
    const admin = clients.visit({ ...visitor, name: 'admin', http: { method: 'DELETE', path: '/admin' } });
    const reader = clients.visit({ ...visitor, name: 'reader', http: { path: '/public/news' } });
    try {
      const operation = await enforce(scene, PUBLIC_ONLY, '--no-observe --soak 2s');
      ended(await operation.result(), 'completed');
      await scene.until(() => reader.counts.answered > 0, 'the public page to be answered');
      must(admin.counts.answered === 0, `DELETE /admin was answered ${admin.counts.answered} times`);
      must(admin.counts.dropped > 0 && admin.counts.refused > 0, 'the request was not tried both before and under the proxy');
      return { operation, extra: { refused: admin.counts.refused, dropped: admin.counts.dropped, read: reader.counts.answered } };
    } finally {
      await Promise.all([admin.stop(), reader.stop()]);
    }
  },
};

const acceptByApprover: Scenario = {
  name: 'policy-accept-by-approver',
  story: 'what the shadow found is accepted by an approver, not by whoever asked; it stands in the message and in the end',
  play: async (scene) => {
    const operation = await enforce(scene, MISSING_PEER, '--window 10s --soak 2s');
    await operation.phase('holding', 60_000);
    await operation.seen(({ blocks }) => /external/.test(JSON.stringify(blocks)), 'the question to name the client');
    await acceptedByAnother(scene, operation);
    for (;;) {
      // More of it than was accepted is asked about again.
      const { phase } = await operation.anyPhase(['holding', 'over'], 180_000);
      if (phase === 'over') break;
      await acceptedByAnother(scene, operation);
    }
    ended(await operation.result(), 'completed');
    must(/external\/external/.test(blocksOf(operation)), 'the message does not name what was accepted');
    return { operation };
  },
};

const nameTaken: Scenario = {
  name: 'policy-name-taken',
  story:
    "the candidate has the name of another workload's policy: refused, with the pods that would lose it; with --replace approvers see it",
  play: async (scene) => {
    const client = await scene.rig.cilium.clients.start({
      name: 'reporting',
      namespace: 'frontend',
      to: 'backend/backend',
      everyMs: 500,
    });
    try {
      await standing(scene, 'frontend', {
        endpointSelector: { matchLabels: { app: 'reporting' } },
        ingress: [{ fromEntities: ['health'] }],
      });
      await propose(scene, GOOD);
      const refused = await scene.begin('/policy enforce frontend/frontend --no-observe');
      const outcome = await refused.result();
      ended(outcome, 'impossible');
      must(outcome.code === 'NameTaken' && /reporting/.test(outcome.words), `the words are ${outcome.words}`);
      const operation = await scene.begin('/policy enforce frontend/frontend --no-observe --replace');
      await operation.said(/lose the protection[^"]*reporting/, 'the plan to say what is lost');
      await operation.button('meshops:approve');
      must((await scene.type(`/mesh abort ${operation.opId}`)).ok, 'the abort was not taken');
      ended(await operation.result(), 'aborted');
      return { operation };
    } finally {
      await client.stop();
    }
  },
};

const overlap: Scenario = {
  name: 'policy-overlap',
  story:
    'while a rollout runs, a default deny for the whole namespace is asked for: refused with the holder, and the rollout ends as it must',
  play: async (scene) => {
    const operation = await enforce(scene, GOOD, '--no-observe --soak 3s');
    await operation.phase('watching', 60_000);
    const second = await scene.begin('/policy bootstrap frontend --no-observe');
    const outcome = await second.result();
    ended(outcome, 'impossible');
    must(outcome.code === 'Held' && outcome.words.includes(operation.opId), `the words do not name the holder: ${outcome.words}`);
    ended(await operation.result(), 'completed');
    must((await podsInCohorts(scene)).length === 0, 'cohort labels are left on pods');
    return { operation };
  },
};

/** Deletes a pod of the frontend; its Deployment makes another one. */
async function replacePod(scene: Scene, name: string): Promise<void> {
  await scene.remove(`/api/v1/namespaces/frontend/pods/${name}`);
  const own = () => scene.rig.cilium.pods().filter(({ group }) => group === 'frontend/frontend');
  await scene.until(
    () => own().every((pod) => pod.name !== name) && own().filter(({ ready }) => ready).length >= 4,
    'the pod that comes in its place',
  );
}

const churn: Scenario = {
  name: 'policy-churn',
  story:
    'pods are replaced and added between question and approval, and in the first cohort: one approval counts, and the rollout goes through',
  play: async (scene): Promise<Played> => {
    await propose(scene, GOOD);
    const operation = await scene.begin('/policy enforce frontend/frontend --no-observe --soak 3s');
    await operation.button('meshops:approve');
    const [first] = scene.rig.cilium.pods().filter(({ group }) => group === 'frontend/frontend');
    must(first !== undefined, 'the frontend has no pod');
    await replacePod(scene, first.name);
    await scene.scale('frontend', 'frontend', 5);
    try {
      await scene.until(
        () => scene.rig.cilium.pods().filter(({ group, ready }) => group === 'frontend/frontend' && ready).length === 5,
        'the fifth pod',
      );
      must((await operation.press('reviewer', 'meshops:approve')).ok, 'the approval was not taken');
      await operation.phase('watching', 60_000);
      const [labelled] = await podsInCohorts(scene);
      must(labelled !== undefined, 'no pod goes first');
      await replacePod(scene, labelled);
      // A step whose pods are gone proves nothing: that is said, and an approver decides to go on. The next step labels as many as were approved.
      for (;;) {
        const { phase, verdict } = await operation.anyPhase(['holding', 'over'], 120_000);
        if (phase === 'over') break;
        must(verdict?.kind === 'no-traffic', `it holds for ${verdict?.words}`);
        await operation.answer('reviewer', 'meshops:continue');
      }
      ended(await operation.result(), 'completed');
      must((await podsInCohorts(scene)).length === 0, 'cohort labels are left on pods');
      return { operation };
    } finally {
      await scene.scale('frontend', 'frontend', 4);
    }
  },
};

const cohortReplaced: Scenario = {
  name: 'policy-cohort-replaced',
  story:
    'the pod that goes first is replaced while it is watched: without a connection of it the step proves nothing and holds; the next one reaches as many pods as were approved',
  play: async (scene) => {
    const operation = await enforce(scene, GOOD, '--no-observe --soak 4s');
    await operation.phase('watching', 60_000);
    const [labelled] = await podsInCohorts(scene);
    must(labelled !== undefined, 'no pod goes first');
    await replacePod(scene, labelled);
    let held = '';
    /** Says go on to what holds for silence, until the operation is there. */
    const until = (holds: (view: View) => boolean, what: string): Promise<View> =>
      scene.poll(
        async () => {
          const view = await operation.view();
          const { phase, verdict, stages } = view;
          if (phase !== 'holding') return holds(view) ? view : undefined;
          must(verdict?.kind === 'no-traffic', `it holds for ${verdict?.words}`);
          if (stages[1]?.startedAt === undefined) held = verdict.words;
          await operation.answer('reviewer', 'meshops:continue');
          return undefined;
        },
        what,
        180_000,
      );
    const { stages } = await until(
      ({ phase, stages: [, next] }) => phase === 'watching' && next?.startedAt !== undefined,
      'the second step',
    );
    must(held !== '' || (stages[0]?.counts?.canary.requests ?? 0) > 0, 'the first step passed without evidence');
    const reached = (await podsInCohorts(scene)).length;
    must(reached === 2, `the second step reaches ${reached} pods instead of 2`);
    await until(({ phase }) => phase === 'over', 'the end');
    ended(await operation.result(), 'completed');
    must((await podsInCohorts(scene)).length === 0, 'cohort labels are left on pods');
    return { operation, extra: { held } };
  },
};

type View = Awaited<ReturnType<Operation['view']>>;

export const policyPromiseStories: readonly Scenario[] = [underDeny, acceptByApprover, nameTaken, overlap, churn, cohortReplaced];
