import { list } from '../mesh-state.ts';
import { CHANNEL } from '../operation.ts';
import { must, type Scenario } from '../scenario.ts';
import type { Scene } from '../scene.ts';
import { GOOD, MISSING_PEER } from './policy-candidates.ts';
import { ended, enforce, podsInCohorts } from './policy-steps.ts';

/** Stories of policies that are in force already: another takes its place, one goes, a namespace gets its first, and the last change is taken back. */

const POLICIES = '/apis/cilium.io/v2/namespaces/frontend/ciliumnetworkpolicies';

/** The same, and one client more. */
const WITH_HEALTH = GOOD.replace('  egress:', '    - fromEntities: [health]\n  egress:');

async function specOf(scene: Scene, name: string): Promise<string | undefined> {
  const found = (await list(scene, POLICIES)).find(({ metadata }) => metadata.name === name);
  return found && JSON.stringify(found.spec);
}

/** Brings the policy into force without a look before it. */
async function inForce(scene: Scene, yaml: string): Promise<void> {
  ended(await (await enforce(scene, yaml, '--no-observe --soak 1500ms')).result(), 'completed');
}

export const policyInForceStories: readonly Scenario[] = [
  {
    name: 'policy-replace',
    story:
      'a policy that is in force is replaced: one that forgets a client is rolled back, and the one before it is there to the letter; one that is right takes its place',
    play: async (scene) => {
      await inForce(scene, GOOD);
      const before = await specOf(scene, 'frontend');
      const harmful = await enforce(scene, MISSING_PEER, '--no-observe --soak 20s');
      const outcome = await harmful.result();
      ended(outcome, 'rolled-back');
      must(outcome.restoredExactly === true, 'the operation does not say that everything is as it was');
      must((await specOf(scene, 'frontend')) === before, 'the policy is not the one that was there');
      const operation = await enforce(scene, WITH_HEALTH, '--no-observe --soak 1500ms');
      ended(await operation.result(), 'completed');
      must(((await specOf(scene, 'frontend')) ?? '').includes('health'), 'the new policy is not in force');
      must((await podsInCohorts(scene)).length === 0, 'cohort labels are left on pods');
      return { operation };
    },
  },
  {
    name: 'policy-delete',
    story:
      'a policy is taken out of force by cohorts and removed; nobody is dropped, a client that it kept out gets in only as far as the cohorts go, and `relax` says how it comes back',
    play: async (scene) => {
      await inForce(scene, GOOD);
      const since = Date.now();
      const stranger = await scene.rig.cilium.clients.start({
        name: 'stranger',
        namespace: 'backend',
        to: 'frontend/frontend',
        port: 8080,
        everyMs: 100,
      });
      try {
        await scene.until(() => stranger.counts.dropped > 3, 'the stranger to be kept out');
        must(stranger.counts.answered === 0, 'the stranger was let in before');
        const operation = await scene.begin('/policy delete frontend/frontend --soak 2s');
        await operation.seen(({ blocks }) => /Opens/.test(JSON.stringify(blocks)), 'what it opens');
        const click = await operation.press('reviewer', 'meshops:approve');
        must(click.ok, `the approval was not taken: ${click.error}`);
        ended(await operation.result(), 'completed');
        must((await specOf(scene, 'frontend')) === undefined, 'the policy is still there');
        must((await podsInCohorts(scene)).length === 0, 'cohort labels are left on pods');
        await scene.until(() => stranger.counts.answered > 3, 'the stranger to be let in');
        const { connections } = scene.rig.cilium.truth;
        const dropped = connections.list.filter(({ at, allowed, name }) => at >= since && !allowed && name !== 'stranger');
        must(dropped.length === 0, `dropped: ${dropped.map(({ name }) => name).join(', ')}`);
        const back = await scene.begin('/policy relax frontend/frontend');
        const outcome = await back.result();
        must(outcome.kind === 'impossible' && outcome.code === 'Gone', `relax said ${outcome.words}`);
        return { operation };
      } finally {
        await stranger.stop();
      }
    },
  },
  {
    name: 'policy-relax',
    story:
      'the last change of a policy is taken back: what was in force before is there to the letter, and the plan says what becomes reachable again',
    play: async (scene) => {
      await inForce(scene, WITH_HEALTH);
      const before = await specOf(scene, 'frontend');
      await inForce(scene, GOOD);
      const operation = await scene.begin('/policy relax frontend/frontend');
      const told = (): string => JSON.stringify([operation.root().blocks, scene.rig.slack.drive.thread(CHANNEL, operation.ts)]);
      await scene.until(() => /reachable again[^}]*health/.test(told()), 'what becomes reachable again');
      ended(await operation.result(), 'completed');
      must((await specOf(scene, 'frontend')) === before, 'what is in force is not what was before');
      return { operation };
    },
  },
  {
    name: 'policy-bootstrap',
    story:
      'a namespace gets its default deny: what is called from outside is found by the shadow and asked about, and nobody is dropped before people decide',
    play: async (scene) => {
      const since = Date.now();
      const operation = await scene.begin('/policy bootstrap frontend --window 10s');
      const click = await operation.press('reviewer', 'meshops:approve');
      must(click.ok, `the approval was not taken: ${click.error}`);
      await operation.phase('holding', 60_000);
      await operation.seen(({ blocks }) => /external/.test(JSON.stringify(blocks)), 'the message to name who would be dropped');
      await operation.press('operator', 'meshops:rollback');
      ended(await operation.result(), 'rolled-back');
      const dropped = scene.rig.cilium.truth.connections.firstDrop(since, () => true);
      must(dropped === undefined, 'somebody was dropped while it was only observed');
      must((await list(scene, POLICIES)).length === 0, 'a policy is left');
      return { operation };
    },
  },
];
