import { denyGateway } from '../../rig/deny.ts';
import { must, type Scenario } from '../scenario.ts';
import { CANARY, type Scene } from '../scene.ts';
import { approvedCanary } from './canary.ts';

/** All parts of the evidence decide together; the one that weighs most is named, and in these stories that may be either. */
const STATISTICAL = ['objective', 'relative', 'silence'];

/**
 * Every way in which a canary can be bad, beyond plain errors. Each must end as rolled back, with everything as it was, and with words that
 * say `failed` where given.
 */
function breaking(name: string, story: string, line: string, how: (scene: Scene) => Promise<void> | void, failed?: RegExp): Scenario {
  return {
    name,
    story,
    play: async (scene) => {
      const operation = await approvedCanary(scene, line);
      await scene.wait(300 + scene.random() * 1_000);
      scene.breaks();
      await how(scene);
      const outcome = await operation.result();
      must(
        outcome.kind === 'rolled-back' && outcome.code === 'Harmful',
        `the outcome is ${outcome.kind} ${outcome.code}: ${outcome.words}`,
      );
      must(outcome.restoredExactly === true, 'the operation does not say that everything is as it was');
      must((await scene.weight(CANARY)) === 0, 'the canary still has weight');
      const { verdict } = outcome;
      const spoke = verdict?.kind === 'harmful' ? verdict.judge : '';
      const words = verdict?.words ?? '';
      must(!failed || (STATISTICAL.includes(spoke) && failed.test(words)), `the judge of ${spoke} spoke, and said: ${words}`);
      const restored = scene.rig.cilium.truth.weights.find(
        ({ seenAt, weights }) => seenAt >= (scene.brokenAt ?? 0) && weights.every((rule) => (rule[CANARY] ?? 0) === 0),
      );
      const undoneMs = restored ? Math.round(restored.seenAt - (scene.brokenAt ?? 0)) : -1;
      return { operation, extra: { judge: spoke, undoneMs, words } };
    },
  };
}

const LONG = '/mesh canary backend 10% --soak 60s';

export const harmStories: readonly Scenario[] = [
  breaking(
    'canary-latency',
    'answers of v2 take longer than the limit',
    `${LONG} --latency 1s`,
    ({ rig }) => rig.cilium.faults.latency(CANARY, 1_500),
    /\b(late|no response) \(/,
  ),
  breaking(
    'canary-hang',
    'requests to v2 never get an answer: no record of one either',
    `${LONG} --latency 1s`,
    ({ rig }) => rig.cilium.faults.hang(CANARY),
    /\bno response \(/,
  ),
  breaking(
    'canary-connect-refused',
    'pods of v2 stay ready but refuse connections: flows show only the gateway, Envoy counts them',
    LONG,
    ({ rig }) => rig.cilium.faults.refuse(CANARY),
    /connect failure \(|no longer answers its share/,
  ),
  breaking('canary-crash', 'pods of v2 crash: none is ready any more', LONG, ({ rig }) => rig.cilium.faults.crash(CANARY)),
  cleanedUp(
    breaking('canary-drops', 'packets from the gateway to v2 are dropped: no HTTP status at all', LONG, (scene) =>
      denyGateway(scene.rig.stack.kube.api, true),
    ),
    (scene) => denyGateway(scene.rig.stack.kube.api, false),
  ),
];

/** What a story has written into the cluster must not outlive it. */
function cleanedUp(scenario: Scenario, clean: (scene: Scene) => Promise<void>): Scenario {
  return {
    ...scenario,
    play: async (scene) => {
      try {
        return await scenario.play(scene);
      } finally {
        await clean(scene);
      }
    },
  };
}
