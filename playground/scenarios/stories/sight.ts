import type { OperationView } from '../../../src/domain/lifecycle/operation.ts';
import type { TrueRequest } from '../../cilium/truth.ts';
import type { Operation } from '../operation.ts';
import { must, type Scenario } from '../scenario.ts';
import { CANARY, type Scene } from '../scene.ts';
import { approvedCanary } from './canary.ts';

/** Stories of what can and cannot be seen. */

/** The watch could not say: it holds, tells why, and has changed nothing by itself. */
async function heldAs(scene: Scene, operation: Operation, kind: 'blind' | 'no-traffic', timeoutMs = 30_000): Promise<OperationView> {
  const view = await operation.phase('holding', timeoutMs);
  must(view.verdict?.kind === kind, `it holds as ${view.verdict?.kind}: ${view.verdict?.words}`);
  must((await scene.weight(CANARY)) === 10, 'the weight was changed although nobody knew anything');
  return view;
}

/** What the watches counted of the canary, beside what the proxy really sent there. */
async function counted(scene: Scene, operation: Operation): Promise<{ judged: number; sent: number }> {
  const view = await operation.view();
  const judged = view.stages.reduce((sum, { counts }) => sum + (counts?.canary.requests ?? 0), 0);
  const [stage] = view.stages;
  const sent = scene.rig.cilium.truth.counts(stage?.startedAt ?? scene.began, stage?.endedAt ?? Date.now(), CANARY).total;
  return { judged, sent };
}

/** The watch begins a little after the weight is in force, so it hears somewhat less than was sent; never more. */
function seenOnce(judged: number, sent: number): void {
  must(judged <= sent + 1 && judged >= sent * 0.5, `${judged} requests were judged of ${sent} that were sent`);
}

const MOST_EXTENDED = 4;
/** An answer after this is a failure, by the rig's configuration. */
const LATE_MS = 1_000;

/** Requests to the canary that failed or came late, as the mesh itself knows it. */
function bad({ rig, began }: Scene): number {
  const isBad = ({ ok, latencyMs }: TrueRequest): boolean => !ok || latencyMs >= LATE_MS;
  return rig.cilium.truth.requests.filter((one) => one.at >= began && one.service === CANARY && isBad(one)).length;
}

export const sightStories: readonly Scenario[] = [
  {
    name: 'canary-no-traffic',
    story: 'nobody sends anything: no promotion and no undo by itself; nobody answers, so it is put back in the end',
    play: async (scene) => {
      const { faults } = scene.rig.cilium;
      faults.load(0);
      try {
        const operation = await approvedCanary(scene);
        const { verdict } = await heldAs(scene, operation, 'no-traffic');
        const outcome = await operation.result();
        must(outcome.kind === 'rolled-back' && outcome.code === 'HoldExpired', `the outcome is ${outcome.kind} ${outcome.code}`);
        must((await scene.weight(CANARY)) === 0, 'the canary still has weight');
        return { operation, extra: { words: verdict?.words ?? '' } };
      } finally {
        faults.load(100);
      }
    },
  },
  {
    name: 'canary-blind',
    story: "the agent that sees the gateway's traffic goes away in the middle of a watch: hold, tell, and people roll back",
    play: async (scene) => {
      const { faults } = scene.rig.cilium;
      const operation = await approvedCanary(scene, '/mesh canary backend 10% --soak 30s');
      await scene.wait(scene.random() * 1_000);
      const blindAt = Date.now();
      await faults.nodeUnavailable(faults.gatewayNode, true);
      const { verdict } = await heldAs(scene, operation, 'blind');
      const toldMs = Date.now() - blindAt;
      await operation.press('reviewer', 'meshops:rollback');
      const outcome = await operation.result();
      must(outcome.kind === 'rolled-back' && outcome.code === 'HoldRolledBack', `the outcome is ${outcome.kind} ${outcome.code}`);
      must((await scene.weight(CANARY)) === 0, 'the canary still has weight');
      return { operation, extra: { toldMs, words: verdict?.words ?? '' } };
    },
  },
  {
    name: 'canary-unseen',
    story: "agents answer, yet report nothing of the gateway's traffic: refused by the probe before any weight moves",
    play: async (scene) => {
      const { faults } = scene.rig.cilium;
      faults.hideFlows(faults.gatewayNode, true);
      const operation = await scene.begin('/mesh canary backend 10%');
      const outcome = await operation.result();
      must(outcome.kind === 'impossible' && outcome.code === 'Blind', `the outcome is ${outcome.kind} ${outcome.code}: ${outcome.words}`);
      must(/probe/.test(outcome.words), `the words do not say why: ${outcome.words}`);
      must((await scene.weight(CANARY)) === 0, 'something was changed');
      return { operation, extra: { words: outcome.words } };
    },
  },
  {
    name: 'canary-remote-node',
    story: 'pods of v2 run on other nodes than the gateway, where flows name no workload: their requests are seen all the same',
    play: async (scene) => {
      const { cilium } = scene.rig;
      const operation = await approvedCanary(scene);
      const outcome = await operation.result();
      must(outcome.kind === 'completed', `the outcome is ${outcome.kind}: ${outcome.words}`);
      const remote = new Set(
        cilium
          .pods()
          .flatMap(({ name, group, node }) => (group === CANARY && node !== cilium.faults.gatewayNode ? [`backend/${name}`] : [])),
      );
      const fromRemote = cilium.truth.requests.filter(({ at, backend }) => at >= scene.began && remote.has(backend)).length;
      must(remote.size > 0 && fromRemote > 0, 'no request went to a pod on another node');
      const { judged, sent } = await counted(scene, operation);
      seenOnce(judged, sent);
      return { operation, extra: { judged, sent, fromRemote } };
    },
  },
  {
    name: 'canary-l7-policy-double',
    story: 'pods have an L7 policy of their own and report each request a second time: each counts once',
    play: async (scene) => {
      scene.rig.cilium.faults.l7Policy(['backend']);
      const operation = await approvedCanary(scene);
      let extended = 0;
      for (; extended < MOST_EXTENDED; extended += 1) {
        const { phase, verdict } = await operation.anyPhase(['holding', 'afterwatch', 'over'], 60_000);
        if (phase !== 'holding') break;
        // A machine that stands still for a second makes a request late: that is one, and no more than the mesh knows of.
        const failed = verdict?.counts.canary.failures ?? 0;
        must(failed <= bad(scene), `${failed} requests failed by what was heard, and ${bad(scene)} in truth: ${verdict?.words ?? ''}`);
        await operation.answer('reviewer', 'meshops:extend');
      }
      const outcome = await operation.result();
      must(outcome.kind === 'completed', `the outcome is ${outcome.kind}: ${outcome.words}`);
      const { judged, sent } = await counted(scene, operation);
      if (extended === 0) seenOnce(judged, sent);
      must(judged <= sent + 1, `${judged} requests were judged of ${sent} that were sent`);
      return { operation, extra: { judged, sent } };
    },
  },
  {
    name: 'relay-down',
    story: 'flows come through Relay, which goes away: hold and tell; Relay comes back, people extend, and the canary stays',
    tuning: { sight: 'relay' },
    play: async (scene) => {
      const { faults } = scene.rig.cilium;
      const operation = await approvedCanary(scene, '/mesh canary backend 10% --soak 6s');
      await faults.relayUnavailable(true);
      const { verdict } = await heldAs(scene, operation, 'blind');
      await faults.relayUnavailable(false);
      await operation.answer('reviewer', 'meshops:extend');
      // The stream comes back a little after Relay itself; a watch that begins before is held once more.
      for (let again = 0; again < MOST_EXTENDED; again += 1) {
        if ((await operation.anyPhase(['holding', 'afterwatch', 'over'])).phase !== 'holding') break;
        await operation.answer('reviewer', 'meshops:extend');
      }
      const outcome = await operation.result();
      must(outcome.kind === 'completed', `the outcome is ${outcome.kind}: ${outcome.words}`);
      return { operation, extra: { words: verdict?.words ?? '' } };
    },
  },
  {
    name: 'canary-healthy-long',
    byHand: 'takes two minutes',
    story: 'half a percent of errors against an objective of one: watched for two minutes and not undone',
    play: async (scene) => {
      scene.rig.cilium.faults.errorRate(CANARY, 0.005);
      const operation = await approvedCanary(scene, '/mesh canary backend 10% --soak 2m');
      const outcome = await operation.result();
      must(outcome.kind === 'completed', `the outcome is ${outcome.kind}: ${outcome.words}`);
      return { operation, extra: await counted(scene, operation) };
    },
  },
];
