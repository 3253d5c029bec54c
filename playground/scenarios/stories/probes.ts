import { must, type Scenario } from '../scenario.ts';
import { CANARY } from '../scene.ts';
import { approvedCanary } from './canary.ts';

/** Stories of a service that nobody asks anything: requests of the bot's own are the evidence. */
export const probeStories: readonly Scenario[] = [
  {
    name: 'canary-probes',
    story: 'no request but the own ones of --probe: the canary passes its stage on them, and is rolled back when it fails on them',
    play: async (scene) => {
      const { faults } = scene.rig.cilium;
      faults.load(0);
      try {
        const operation = await approvedCanary(scene, '/mesh canary backend 50% --steps 50 --soak 8s --probe 20/s');
        const { stages } = await operation.phase('afterwatch', 60_000);
        const { requests = 0, synthetic = 0 } = stages[0]?.counts?.canary ?? {};
        must(requests >= 10, `the canary passed on ${requests} requests`);
        must(synthetic === requests, `${synthetic} of ${requests} requests are told as synthetic, and there were no others`);
        scene.break(({ cilium }) => cilium.faults.errorRate(CANARY, 1));
        const outcome = await operation.result();
        must(outcome.kind === 'rolled-back', `the outcome is ${outcome.kind}: ${outcome.words}`);
        must(outcome.verdict?.kind === 'harmful' && outcome.verdict.words.includes('synthetic'), `the words are: ${outcome.words}`);
        must(outcome.restoredExactly === true && (await scene.weight(CANARY)) === 0, 'not everything is as it was');
        return { operation, extra: { synthetic, words: outcome.words } };
      } finally {
        faults.load(100);
      }
    },
  },
];
