import { CHANNEL } from '../operation.ts';
import { must, type Scenario } from '../scenario.ts';
import { BACKEND_FQDN, ERRATA, GOOD, MISSING_PEER, NO_DNS, onlyPaths } from './policy-candidates.ts';
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
    name: 'reads-as-asker',
    story: 'what is in the cluster is shown to whom the cluster itself would show it: to the operator, not to a reviewer',
    play: async (scene) => {
      await propose(scene, GOOD);
      const told = async (line: string, person: 'operator' | 'reviewer'): Promise<string> => {
        const shown = await scene.type(line, person);
        return `${shown.shown?.text ?? ''} ${scene.heard(person).at(-1) ?? ''}`;
      };
      for (const line of ['learn', 'dryrun', 'check', 'status'].map((verb) => `/policy ${verb} frontend`)) {
        const words = await told(line, 'reviewer');
        must(words.includes('You cannot read this'), `${line} told somebody who may not read it: ${words}`);
      }
      const words = await told('/policy status frontend', 'operator');
      must(!words.includes('You cannot read this') && words.includes('frontend'), `the operator was told: ${words}`);
      must(scene.newRoots().length === 0, 'an operation has begun');
      return {};
    },
  },
  {
    name: 'policy-enforce-frontend',
    story:
      '`/policy enforce frontend`, as anybody would type it in the channel of the backend: the only namespace that has it is taken, and said',
    play: async (scene) => {
      await propose(scene, GOOD);
      const operation = await scene.begin('/policy enforce frontend --window 10s --soak 1500ms');
      await scene.until(
        () => scene.heard().some((words) => words.includes('the only one that has frontend')),
        'the person to be told which is meant',
      );
      const click = await operation.press('reviewer', 'meshops:approve');
      must(click.ok, `the approval was not taken: ${click.error}`);
      ended(await operation.result(), 'completed');
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
      await operation.seen(({ blocks }) => /external/.test(JSON.stringify(blocks)), 'the message to name the client');
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
    // Pods of an earlier story use a name that they looked up before any rule for names was there.
    rig: {},
    story:
      'a policy that allows one outside name by DNS goes live for the backend: lookups are seen first, so nothing that a pod had looked up before is dropped',
    play: async (scene) => {
      const { connections } = scene.rig.cilium.truth;
      const isOut = ({ name, port, allowed }: (typeof connections.list)[number]): boolean =>
        name.startsWith('backend/') && port === 443 && allowed;
      await scene.until(() => connections.list.filter(isOut).length >= 5, 'pods to have used the name for a while', 40_000);
      const operation = await enforce(scene, BACKEND_FQDN, '--no-observe --window 25s --soak 1500ms', 'backend');
      ended(await operation.result(), 'completed');
      const dropped = connections.list.filter(({ at, allowed, name }) => at >= scene.began && !allowed && name.startsWith('backend/'));
      must(dropped.length === 0, `dropped: ${dropped.map(({ name, at }) => `${name} ${at}`).join(', ')}`);
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
      const thread = (): string => JSON.stringify(scene.rig.slack.drive.thread(CHANNEL, operation.ts));
      await scene.until(() => thread().includes('earlier'), 'the plan that was approved to name the other policy');
      const outcome = await operation.result();
      ended(outcome, 'completed');
      return { operation };
    },
  },
];
