import { must, type Scenario } from '../scenario.ts';
import { CANARY, type Scene } from '../scene.ts';
import { approvedCanary } from './canary.ts';

/** Stories of header A/B: testers, whose requests carry a header, get v2; everybody else gets what they got. */

const HEADER = { 'x-canary': 'yes' };
const EVERY_MS = 25;

interface Testers {
  /** Versions that answered since it was last asked. */
  take(): readonly string[];
  stop(): Promise<void>;
}

/** People with the header, one request after the other through the gateway. */
function testers({ rig }: Scene): Testers {
  const ended = new AbortController();
  let heard: string[] = [];
  const asking = (async () => {
    while (!ended.signal.aborted) {
      const answer = await fetch(`${rig.cilium.gateway.url}/`, { headers: HEADER, signal: AbortSignal.timeout(5_000) });
      heard.push(((await answer.json()) as { version?: string }).version ?? String(answer.status));
      await new Promise((resolve) => setTimeout(resolve, EVERY_MS));
    }
  })();
  return {
    take: () => heard.splice(0),
    stop: async () => {
      ended.abort();
      await asking;
    },
  };
}

/** Waits until the next dozen answers to testers are all of one version. */
async function answeredBy(scene: Scene, people: Testers, version: string): Promise<void> {
  people.take();
  let row = 0;
  await scene.until(() => {
    for (const one of people.take()) row = one === version ? row + 1 : 0;
    return row >= 12;
  }, `testers to be answered by ${version}`);
}

/** Weights of each rule of the route, `stable/canary`. */
async function rules(scene: Scene): Promise<string> {
  const { spec } = (await scene.route()) as { spec: { rules: readonly { backendRefs: readonly { name: string; weight?: number }[] }[] } };
  return spec.rules.map(({ backendRefs }) => backendRefs.map(({ name, weight = 1 }) => `${name} ${weight}`).join(', ')).join('; ');
}

const UNTOUCHED = 'backend 100, backend-canary 0';

/** Requests without the header that v2 got since then: the proxy's count less the testers' own. */
function strays({ rig }: Scene, since: number, own: number): number {
  return Math.max(0, rig.cilium.truth.counts(since, Number.POSITIVE_INFINITY, CANARY).total - own);
}

const ab: Scenario = {
  name: 'canary-ab',
  story: 'requests with a header go to v2 and all others stay; `off` takes exactly that away again',
  play: async (scene) => {
    const people = testers(scene);
    try {
      await answeredBy(scene, people, 'v1');
      const since = Date.now();
      const operation = await approvedCanary(scene, '/mesh ab backend x-canary=yes');
      const written = await rules(scene);
      must(/^backend-canary \d+; /.test(written) && written.endsWith(`; ${UNTOUCHED}`), `the rules are ${written}`);
      await answeredBy(scene, people, 'v2');
      let own = scene.rig.cilium.truth.counts(since, Date.now(), CANARY).total;
      people.take();
      const from = Date.now();
      const outcome = await operation.result();
      must(outcome.kind === 'completed', `the outcome is ${outcome.kind}: ${outcome.words}`);
      const answers = people.take();
      must(
        answers.every((version) => version === 'v2'),
        `testers were answered by ${[...new Set(answers)].join(' and ')}`,
      );
      // A request may be under way at either end.
      const stray = strays(scene, from, answers.length + 2);
      must(stray === 0, `${stray} requests without the header went to v2`);
      own += answers.length;
      const off = await scene.begin('/mesh ab backend off');
      const ended = await off.result();
      must(ended.kind === 'completed', `off ended as ${ended.kind}: ${ended.words}`);
      must((await rules(scene)) === UNTOUCHED, `the rules are ${await rules(scene)}`);
      await answeredBy(scene, people, 'v1');
      return { operation, extra: { answers: own } };
    } finally {
      await people.stop();
    }
  },
};

const harmful: Scenario = {
  name: 'canary-ab-harmful',
  story: 'v2 fails for the people with the header: their rule is taken away by itself, and v1 answers them again',
  play: async (scene) => {
    const people = testers(scene);
    try {
      const operation = await approvedCanary(scene, '/mesh ab backend x-canary=yes --soak 60s');
      await answeredBy(scene, people, 'v2');
      scene.break(({ cilium }) => cilium.faults.errorRate(CANARY, 1));
      const outcome = await operation.result();
      must(outcome.kind === 'rolled-back' && outcome.restoredExactly === true, `the outcome is ${outcome.kind}: ${outcome.words}`);
      must((await rules(scene)) === UNTOUCHED, `the rules are ${await rules(scene)}`);
      await answeredBy(scene, people, 'v1');
      return { operation, extra: { words: outcome.verdict?.words ?? '' } };
    } finally {
      await people.stop();
    }
  },
};

export const abStories: readonly Scenario[] = [ab, harmful];
