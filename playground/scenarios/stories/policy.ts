import { must, type Scenario } from '../scenario.ts';
import { BACKEND_FQDN, ERRATA, GOOD, MISSING_PEER, NO_DNS, NO_WORLD, onlyPaths } from './policy-candidates.ts';
import { ended, enforce, POLICY, podsInCohorts, propose, undone } from './policy-steps.ts';

/** Stories of `/policy enforce` on the demo's frontend: four pods, called by external and by visitors, calling the backend. */
export const policyStories: readonly Scenario[] = [
  {
    name: 'policy-good',
    story: 'a policy that lets all legitimate traffic through goes live by cohorts',
    play: async (scene) => {
      const operation = await enforce(scene, GOOD, '--window 10s --soak 1500ms');
      ended(await operation.result(), 'completed');
      must((await podsInCohorts(scene)).length === 0, 'cohort labels are left on pods');
      return { operation };
    },
  },
  {
    name: 'policy-missing-peer',
    story: 'one legitimate client is not in the candidate; it shows in the first cohort and is rolled back',
    play: async (scene) => {
      const since = Date.now();
      // The client connects about twice a second to one of four pods: the first cohort stands long enough that it gets there.
      const operation = await enforce(scene, MISSING_PEER, '--no-observe --soak 20s');
      const extra = await undone(scene, operation, since, (name) => name.startsWith('external/'));
      // By its watch, or by the guard that is there from its first write on.
      const begun = (await operation.view()).stages.filter(({ startedAt }) => startedAt !== undefined).map(({ number }) => number);
      must(begun.join() === '1', `stages ${begun.join()} had begun: harm did not show in the first cohort`);
      must(extra.podsAffected === 1, `${extra.podsAffected} pods were affected`);
      return { operation, extra };
    },
  },
  {
    name: 'policy-missing-peer-observed',
    story: 'the missing client is found by the shadow: people are asked, and nobody is dropped',
    play: async (scene) => {
      const since = Date.now();
      const operation = await enforce(scene, MISSING_PEER);
      await operation.phase('holding', 60_000);
      must(/external/.test(JSON.stringify(operation.root().blocks)), 'the message does not name the client');
      await operation.press('operator', 'meshops:rollback');
      ended(await operation.result(), 'rolled-back');
      const dropped = scene.rig.cilium.truth.connections.firstDrop(since, ({ name }) => name.startsWith('external/'));
      must(dropped === undefined, 'somebody was dropped while it was only observed');
      return { operation };
    },
  },
  {
    name: 'policy-late-client',
    story: 'a client that connects only after the first cohort is dropped: rolled back',
    play: async (scene) => {
      const since = Date.now();
      const operation = await enforce(scene, GOOD, '--no-observe --soak 20s');
      await operation.phase('watching', 60_000);
      const client = await scene.rig.cilium.clients.start({
        name: 'reporting',
        namespace: 'external',
        to: 'frontend/frontend',
        port: 8080,
        everyMs: 100,
      });
      try {
        return { operation, extra: await undone(scene, operation, since, (name) => name === 'reporting') };
      } finally {
        await client.stop();
      }
    },
  },
  {
    name: 'policy-egress-dns',
    story: 'the candidate forgets that names must be asked for: the egress cohort is rolled back',
    play: async (scene) => {
      const since = Date.now();
      const operation = await enforce(scene, NO_DNS, '--no-observe --soak 2s');
      return { operation, extra: await undone(scene, operation, since, () => true) };
    },
  },
  {
    name: 'policy-l7-admin',
    story: 'only some paths are allowed, and one that is in use is not among them: rolled back',
    play: async (scene) => {
      const since = Date.now();
      const operation = await enforce(scene, onlyPaths(['/']), '--no-observe --soak 2s');
      return { operation, extra: await undone(scene, operation, since, () => true) };
    },
  },
  {
    name: 'policy-errata',
    story: 'documents that silently do something else than they say are refused before anything starts, with the right form',
    play: async (scene) => {
      for (const { yaml, names } of ERRATA) {
        await propose(scene, yaml);
        const before = scene.heard().length;
        const shown = await scene.type('/policy enforce frontend/frontend');
        must(shown.ok, `Slack said ${shown.error}`);
        const heard = await scene.poll(
          () =>
            scene
              .heard()
              .slice(before)
              .find((text) => /error/.test(text)),
          `a finding about ${names}`,
        );
        must(new RegExp(names, 'i').test(heard), `the finding does not name ${names}: ${heard.slice(0, 300)}`);
      }
      must(scene.newRoots().length === 0, 'an operation was started');
      return { extra: { refused: ERRATA.length } };
    },
  },
  {
    name: 'policy-fqdn',
    story: 'a policy that allows one outside name by DNS goes live for the backend',
    play: async (scene) => {
      const operation = await enforce(scene, BACKEND_FQDN, '--no-observe --soak 1500ms', 'backend');
      ended(await operation.result(), 'completed');
      const { connections } = scene.rig.cilium.truth;
      const dropped = connections.list.filter(({ at, allowed, name }) => at >= scene.began && !allowed && name.startsWith('backend/'));
      must(dropped.length === 0, `${dropped.length} connections of the backend were dropped`);
      return { operation };
    },
  },
  {
    name: 'policy-two-policies',
    story: 'another default-deny policy selects the pods already: no shadow, with the reason; by cohorts all the same',
    play: async (scene) => {
      const other = { apiVersion: 'cilium.io/v2', kind: 'CiliumNetworkPolicy', metadata: { name: 'earlier', namespace: 'frontend' } };
      const spec = {
        endpointSelector: { matchLabels: { app: 'frontend' } },
        ingress: [{ fromEntities: ['all'] }],
        egress: [{ toEntities: ['all'] }],
      };
      await scene.put(POLICY.replace(/frontend$/, 'earlier'), { ...other, spec });
      await scene.until(
        () => scene.rig.cilium.truth.policies.list.some(({ policy }) => policy.endsWith('earlier')),
        'the earlier policy to be in force',
      );
      const operation = await enforce(scene, GOOD, '--soak 1500ms');
      must(JSON.stringify(operation.root().blocks).includes('earlier'), 'the message does not name the other policy');
      const outcome = await operation.result();
      ended(outcome, 'completed');
      return { operation };
    },
  },
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
        must((await operation.press('reviewer', 'meshops:continue')).ok, 'Continue was not taken');
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
          await operation.press('reviewer', 'meshops:continue');
          await operation.leave('holding');
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
