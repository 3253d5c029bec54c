import { must, type Scenario } from '../scenario.ts';
import { GOOD, NO_WORLD } from './policy-candidates.ts';
import { ended, enforce, POLICY, podsInCohorts, propose, undone } from './policy-steps.ts';

/** Stories of `/policy enforce` in which something else happens meanwhile: connections that stay, another hand, a scan, a new pod, a write that is refused. */
export const policyMeanwhileStories: readonly Scenario[] = [
  {
    name: 'policy-established',
    story:
      'a long-lived connection shows no verdicts while it is observed: held and told; gone on with, it breaks on enforcement: rolled back',
    play: async (scene) => {
      const held = scene.rig.cilium.clients.hold({
        name: 'pool',
        from: { namespace: 'backend', app: 'backend' },
        to: 'frontend/frontend',
        everyMs: 200,
      });
      try {
        await scene.until(() => held.counts.answered > 3, 'the connections to be open');
        const since = Date.now();
        const operation = await enforce(scene, GOOD);
        const { verdict } = await operation.phase('holding', 90_000);
        const words = verdict?.words ?? '';
        must(words.startsWith('Not seen in the watch: connections from backend/backend '), `the words are: ${words}`);
        // A pod of the first cohorts may have none of them: that proves nothing either, and is told again.
        for (let { phase } = await operation.view(); phase !== 'over'; { phase } = await operation.anyPhase(['holding', 'over'], 90_000)) {
          if (phase !== 'holding') continue;
          await operation.answer('reviewer', 'meshops:continue');
        }
        return { operation, extra: await undone(scene, operation, since, (name) => name === 'pool') };
      } finally {
        await held.stop();
      }
    },
  },
  {
    name: 'policy-drift',
    story: 'somebody else edits the policy in the middle of the rollout: held and told; theirs is left alone',
    play: async (scene) => {
      const operation = await enforce(scene, GOOD, '--no-observe --soak 20s');
      await operation.phase('watching', 60_000);
      const spec = { endpointSelector: { matchLabels: { app: 'nobody' } }, ingress: [{}] };
      await scene.put(POLICY, {
        apiVersion: 'cilium.io/v2',
        kind: 'CiliumNetworkPolicy',
        metadata: { name: 'frontend', namespace: 'frontend' },
        spec,
      });
      await operation.phase('holding', 60_000);
      const outcome = await operation.result();
      must(outcome.kind !== 'completed', `the outcome is ${outcome.kind}`);
      must((await podsInCohorts(scene)).length === 0, 'cohort labels are left on pods');
      return { operation };
    },
  },
  {
    name: 'policy-scanner',
    story: 'a port scan from the world during the cohort does not stop the rollout',
    play: async (scene) => {
      const operation = await enforce(scene, GOOD, '--no-observe --soak 2s');
      const scan = scene.rig.cilium.clients.scan({
        to: 'frontend/frontend',
        ports: [22, 23, 80, 443, 3306, 5432, 6379, 9200],
        everyMs: 200,
      });
      try {
        for (;;) {
          const phase = await operation.anyPhase(['holding', 'over'], 120_000);
          if (phase.phase === 'over') break;
          await operation.answer('reviewer', 'meshops:continue');
        }
        ended(await operation.result(), 'completed');
        must(scan.counts.dropped > 0, 'the scan met no policy');
        return { operation, extra: { scanned: scan.counts.dropped } };
      } finally {
        scan.stop();
      }
    },
  },
  {
    name: 'policy-new-pod',
    story: 'a pod that appears during the rollout stays outside of the cohort until the end',
    play: async (scene) => {
      const candidate = NO_WORLD.replace('  egress:', '    - fromEntities: [world]\n  egress:');
      const operation = await enforce(scene, candidate, '--no-observe');
      await operation.phase('watching', 60_000);
      const known = new Set(scene.rig.cilium.pods().map(({ name }) => name));
      await scene.scale('frontend', 'frontend', 5);
      try {
        const added = await scene.poll(
          () => scene.rig.cilium.pods().find(({ group, ready, name }) => group === 'frontend/frontend' && ready && !known.has(name)),
          'the fifth pod',
        );
        const inCohort = await podsInCohorts(scene);
        must(inCohort.length > 0, 'the rollout was over before the pod came');
        must(!inCohort.includes(added.name), 'the new pod is in the cohort');
        ended(await operation.result(), 'completed');
        must((await podsInCohorts(scene)).length === 0, 'cohort labels are left on pods');
        return { operation };
      } finally {
        await scene.scale('frontend', 'frontend', 4);
      }
    },
  },
  {
    name: 'policy-forbidden',
    story: 'the requester lacks the right: refused before anything is changed, with the reason',
    play: async (scene) => {
      await propose(scene, GOOD);
      const operation = await scene.begin('/policy enforce frontend/frontend --no-observe', 'reviewer');
      const outcome = await operation.result();
      ended(outcome, 'impossible');
      must(/may not|right|forbidden|allowed/i.test(outcome.words), `the words do not say why: ${outcome.words}`);
      return { operation };
    },
  },
];
