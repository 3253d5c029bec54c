import { WorkflowNotFoundError } from '@temporalio/client';
import { demoHops, hopName } from '../cilium/connections/demo-hops.ts';
import { createRandom } from '../cilium/random.ts';
import type { Child } from '../cluster/warden.ts';
import type { Rig } from '../rig/rig.ts';
import { type Absent, without } from './absence.ts';
import { recordHistory } from './histories.ts';
import { list, POLICIES } from './mesh-state.ts';
import { miscalled } from './miscalled.ts';
import { CHANNEL } from './operation.ts';
import { lookBefore, measure, type Report } from './report.ts';
import { type Played, type Scenario, StoryBroken } from './scenario.ts';
import { CANARY, Scene, STABLE } from './scene.ts';

export interface PlayOptions {
  readonly seed: number;
  /** Folder for the recorded history; none when left out. */
  readonly record?: URL;
  /** What the story has to do without. */
  readonly without?: Absent;
}

/** Puts the demo mesh at rest, plays one story in the rig, and measures it. Rejects only when measuring is impossible. */
export async function play(rig: Rig, scenario: Scenario, options: PlayOptions): Promise<Report> {
  await rest(rig);
  if (scenario.tuning === undefined) return playPart(rig, scenario, options);
  await rig.tune(scenario.tuning);
  try {
    return await playPart(rig, scenario, options);
  } finally {
    await rig.tune({});
  }
}

async function playPart(rig: Rig, scenario: Scenario, options: PlayOptions): Promise<Report> {
  if (scenario.part === undefined) return tell(rig, scenario, options, CANARY);
  const part = await rig.cilium.parts.start(scenario.part);
  try {
    return await tell(rig, scenario, options, `backend/${scenario.part}-canary`);
  } finally {
    await part.stop();
  }
}

/** Plays the story and measures what became of `canary`. */
async function tell(rig: Rig, scenario: Scenario, options: PlayOptions, canary: string): Promise<Report> {
  const scene = new Scene(rig, createRandom(options.seed), Date.now());
  const before = await lookBefore(scene, canary);
  let played: Played | undefined;
  let broken: string | undefined;
  try {
    const { without: absent } = options;
    played = await (absent ? without(absent, scene, canary, () => scenario.play(scene)) : scenario.play(scene));
  } catch (error) {
    broken = `${error instanceof StoryBroken ? error.message : String(error)}${refusedBySlack(rig, scene.began)}`;
  }
  // Requests that were under way when the story ended still count as harmed.
  await scene.wait(300);
  broken ??= unseenIn(rig, played) ?? miscalled(rig, scene);
  const report = await measure(scenario.name, options.seed, scene, before, played, broken);
  if (options.record && played?.operation) await recordHistory(options.record, scenario.name, played.operation.handle);
  return report;
}

/** What Slack has refused meanwhile: a question that people never got is often that. */
function refusedBySlack({ slack }: Rig, since: number): string {
  const refusals = slack.log.refusals().filter(({ at, direction }) => at >= since && direction === 'in');
  return refusals.length === 0
    ? ''
    : ` Slack refused: ${refusals
        .slice(-3)
        .map(({ method, refusal }) => `${method}: ${refusal}`)
        .join('; ')}.`;
}

/** Word joiners and the like: nobody sees them, and they stay in what is copied from a message. */
const UNSEEN = /[\u200B\u200E\u200F\u202A-\u202E\u2060-\u2064\u2066-\u2069\uFEFF]/;

function unseenIn({ slack }: Rig, played: Played | undefined): string | undefined {
  const { ts } = played?.operation ?? {};
  const said = ts ? slack.drive.thread(CHANNEL, ts) : slack.drive.messages(CHANNEL).slice(-5);
  const hidden = said.find((message) => UNSEEN.test(JSON.stringify(message)));
  return hidden && `a message has characters that nobody sees: ${hidden.text}`;
}

const ROUTE = '/apis/gateway.networking.k8s.io/v1/namespaces/backend/httproutes/backend';

/** What a story that broke has left running would hold the next one's target, and its worker may be gone. */
async function endLeftovers(rig: Rig): Promise<void> {
  for await (const { workflowId, runId } of rig.temporal.workflow.list({ query: 'ExecutionStatus = "Running"' })) {
    try {
      await rig.temporal.workflow.getHandle(workflowId, runId).terminate('left over from another story');
    } catch (error) {
      // The list is a little behind: it was over already.
      if (!(error instanceof WorkflowNotFoundError)) throw error;
    }
  }
  const newest = rig.workers.at(-1);
  if (newest && (await hasEnded(newest))) await rig.startWorker();
}

function hasEnded({ exited }: Child): Promise<boolean> {
  return Promise.race([exited.then(() => true), new Promise<boolean>((resolve) => setImmediate(() => resolve(false)))]);
}

interface DemoRoute {
  readonly metadata: { readonly annotations?: Readonly<Record<string, string>> };
  readonly spec: { readonly rules: readonly { readonly backendRefs: readonly { readonly name: string }[] }[] };
}

/** Everything mended, 100% on stable, no token, all pods ready, in force. */
export async function rest(rig: Rig): Promise<void> {
  await endLeftovers(rig);
  rig.cilium.faults.mend();
  for (const { name } of rig.cilium.nodes) await rig.cilium.faults.nodeUnavailable(name, false);
  const scene = new Scene(rig, Math.random, Date.now());
  const { metadata, spec } = (await scene.route()) as DemoRoute;
  // The demo's own rule is the last one: an operation puts its own before it.
  const rule = spec.rules.at(-1);
  const backendRefs = rule?.backendRefs.map((backend) => ({ ...backend, weight: `backend/${backend.name}` === STABLE ? 100 : 0 }));
  const rules = { op: 'replace', path: '/spec/rules', value: [{ ...rule, backendRefs }] };
  const token =
    metadata.annotations?.['meshops.dev/operation'] === undefined
      ? []
      : [{ op: 'remove', path: '/metadata/annotations/meshops.dev~1operation' }];
  const body = JSON.stringify([rules, ...token]);
  const answer = await rig.stack.kube.api({
    method: 'PATCH',
    path: ROUTE,
    body,
    contentType: 'application/json-patch+json',
    signal: AbortSignal.timeout(10_000),
  });
  if (answer.status !== 200) throw new Error(`The demo route could not be put at rest (${answer.status}): ${answer.body.slice(0, 300)}`);
  for (const path of POLICIES) {
    for (const { metadata } of await list(scene, path)) {
      const [group, plural] = [path.slice(0, path.lastIndexOf('/')), path.slice(path.lastIndexOf('/') + 1)];
      await scene.remove(`${group}${metadata.namespace ? `/namespaces/${metadata.namespace}` : ''}/${plural}/${metadata.name}`);
    }
  }
  await scene.until(() => rig.cilium.pods().every((pod) => pod.ready), 'all pods to be ready');
  // Other routes that have been there and are gone never come in force.
  const inForce = (): number | undefined => rig.cilium.truth.weights.findLast(({ route }) => route === STABLE)?.inForceAt;
  if (rig.cilium.gateway.url !== '') await scene.until(() => inForce() !== undefined, 'the weights to be in force');
  await forgetStrangers(scene);
}

/** How many clients there had been in a rig when its agents forgot last. */
const forgottenAt = new WeakMap<Rig, number>();

/**
 * Callers of an earlier story are in the agents' rings still. To the product they are callers who have fallen silent, which is a reason to
 * hold. The next story begins with the demo's own traffic alone.
 */
async function forgetStrangers(scene: Scene): Promise<void> {
  const { rig } = scene;
  const { clients, truth } = rig.cilium;
  if (clients.begun === (forgottenAt.get(rig) ?? 0)) return;
  forgottenAt.set(rig, clients.begun);
  const since = Date.now();
  await rig.cilium.forget();
  const calls = (hop: string): number => truth.connections.list.filter(({ at, name }) => at >= since && name === hop).length;
  await scene.until(() => demoHops.every((hop) => calls(hopName(hop)) >= 3), 'the demo to have called everywhere', 60_000);
}
