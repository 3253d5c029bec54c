import { must, type Scenario } from '../scenario.ts';
import { CANARY, STABLE } from '../scene.ts';
import { approve } from './canary.ts';

/** Stories of what a canary is held to, where people say so themselves. */
export const heldToStories: readonly Scenario[] = [
  {
    name: 'canary-budget',
    story: 'the objective leaves room for half of all requests, but people allow one failure beyond it: ended as they said',
    play: async (scene) => {
      // v2 fails from its first request on: the third uses the budget up, and proves nothing against v2 yet.
      const operation = await scene.begin('/mesh canary backend 10% --soak 60s --slo 50% --budget 1');
      await operation.button('meshops:approve');
      scene.break(({ cilium }) => cilium.faults.errorRate(CANARY, 1));
      await approve(operation);
      const outcome = await operation.result();
      must(outcome.kind === 'rolled-back' && outcome.code === 'Budget', `the outcome is ${outcome.kind} ${outcome.code}: ${outcome.words}`);
      must(outcome.verdict?.kind === 'harmful' && outcome.verdict.judge === 'budget', `the words are: ${outcome.words}`);
      must(outcome.restoredExactly === true && (await scene.weight(CANARY)) === 0, 'not everything is as it was');
      return { operation, extra: { words: outcome.words } };
    },
  },
  {
    name: 'canary-relative',
    story: 'the service breaks its objective already: refused; held to the others instead, it passes, and is rolled back when it is worse',
    rig: {},
    play: async (scene) => {
      const { faults } = scene.rig.cilium;
      // So many that a minute of health before them cannot hide them.
      faults.errorRate(STABLE, 0.5);
      await scene.wait(6_000);
      const refused = await scene.begin('/mesh canary backend 10%');
      const first = await refused.result(20_000);
      must(first.kind === 'impossible' && first.code === 'StableFails', `the first outcome is ${first.kind} ${first.code}: ${first.words}`);
      faults.errorRate(STABLE, 0.05);
      const known = new Set(scene.newRoots().map(({ ts }) => ts));
      const shown = await scene.type('/mesh canary backend 10% --slo relative --steps 5,10 --soak 6s');
      must(shown.ok, `Slack said ${shown.error}`);
      const operation = await scene.operation(20_000, known);
      must((await operation.press('reviewer', 'meshops:approve')).ok, 'the approval was not taken');
      await operation.phase('afterwatch', 60_000);
      scene.break(() => faults.errorRate(CANARY, 0.8));
      const outcome = await operation.result();
      must(
        outcome.kind === 'rolled-back' && outcome.code === 'Harmful',
        `the outcome is ${outcome.kind} ${outcome.code}: ${outcome.words}`,
      );
      must(outcome.verdict?.kind === 'harmful' && outcome.verdict.judge === 'relative', `the words are: ${outcome.words}`);
      must(outcome.restoredExactly === true && (await scene.weight(CANARY)) === 0, 'not everything is as it was');
      return { operation, extra: { refused: first.words, words: outcome.words } };
    },
  },
];
