import { must, type Scenario } from '../scenario.ts';
import { GOOD } from './policy-candidates.ts';
import { ended, enforce, podsInCohorts } from './policy-steps.ts';

const MOST_EXTENDED = 6;
const AWAY_MS = 1_000;

/** Stories of agents that are started again, as an upgrade of Cilium does. */
export const agentStories: readonly Scenario[] = [
  {
    name: 'agent-restarted',
    byHand: 'for real nodes',
    story:
      'an agent is started again while a policy is watched: its ring is empty; the watch goes on, people extend it where it asks, and the policy goes live',
    play: async (scene) => {
      const { faults, nodes } = scene.rig.cilium;
      const node = nodes.at(-1)?.name ?? '';
      const operation = await enforce(scene, GOOD, '--no-observe --soak 8s');
      await operation.phase('watching', 60_000);
      await faults.nodeUnavailable(node, true);
      await scene.wait(AWAY_MS);
      await faults.nodeUnavailable(node, false);
      const asked: string[] = [];
      for (;;) {
        const { phase, verdict } = await operation.anyPhase(['holding', 'over'], 160_000);
        if (phase === 'over') break;
        asked.push(verdict?.words ?? '');
        must(verdict?.kind === 'blind' || verdict?.kind === 'no-traffic', `it holds for ${verdict?.kind}: ${verdict?.words}`);
        must(asked.length <= MOST_EXTENDED, `it held ${asked.length} times: ${asked.join(' | ')}`);
        await operation.answer('reviewer', 'meshops:extend');
      }
      ended(await operation.result(), 'completed');
      must((await podsInCohorts(scene)).length === 0, 'cohort labels are left on pods');
      return { operation, extra: { asked } };
    },
  },
];
