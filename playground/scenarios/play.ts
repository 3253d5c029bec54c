import { createRandom } from '../cilium/random.ts';
import type { Rig } from '../rig/rig.ts';
import { recordHistory } from './histories.ts';
import { list, POLICIES } from './mesh-state.ts';
import { lookBefore, measure, type Report } from './report.ts';
import { type Played, type Scenario, StoryBroken } from './scenario.ts';
import { CANARY, Scene, STABLE } from './scene.ts';

export interface PlayOptions {
  readonly seed: number;
  /** Folder for the recorded history; none when left out. */
  readonly record?: URL;
}

/** Puts the demo mesh at rest, plays one story in the rig, and measures it. Rejects only when measuring is impossible. */
export async function play(rig: Rig, scenario: Scenario, options: PlayOptions): Promise<Report> {
  await rest(rig);
  const scene = new Scene(rig, createRandom(options.seed), Date.now());
  const before = await lookBefore(scene);
  let played: Played | undefined;
  let broken: string | undefined;
  try {
    played = await scenario.play(scene);
  } catch (error) {
    broken = error instanceof StoryBroken ? error.message : `${String(error)}`;
  }
  // Requests that were under way when the story ended still count as harmed.
  await scene.wait(300);
  const report = await measure(scenario.name, options.seed, scene, before, played, broken);
  if (options.record && played?.operation) await recordHistory(options.record, scenario.name, played.operation.handle);
  return report;
}

const ROUTE = '/apis/gateway.networking.k8s.io/v1/namespaces/backend/httproutes/backend';

/** Everything mended, 100% on stable, no token, all pods ready, in force. */
export async function rest(rig: Rig): Promise<void> {
  rig.cilium.faults.mend();
  for (const { name } of rig.cilium.nodes) await rig.cilium.faults.nodeUnavailable(name, false);
  const scene = new Scene(rig, Math.random, Date.now());
  const weights = [STABLE, CANARY].map((service, index) => ({
    op: 'replace',
    path: `/spec/rules/0/backendRefs/${index}/weight`,
    value: service === STABLE ? 100 : 0,
  }));
  const { metadata } = (await scene.route()) as { metadata: { annotations?: Record<string, string> } };
  const token =
    metadata.annotations?.['meshops.dev/operation'] === undefined
      ? []
      : [{ op: 'remove', path: '/metadata/annotations/meshops.dev~1operation' }];
  const body = JSON.stringify([...weights, ...token]);
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
  await scene.until(() => rig.cilium.truth.weights.at(-1)?.inForceAt !== undefined, 'the weights to be in force');
}
