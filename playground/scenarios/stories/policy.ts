import type { Outcome } from '../../../src/domain/operation.ts';
import type { Operation } from '../operation.ts';
import { must, type Scenario } from '../scenario.ts';
import type { Scene } from '../scene.ts';
import { GOOD, MISSING_PEER } from './policy-candidates.ts';

/** Stories of `/policy enforce` on the demo's frontend: four pods, called by external and by visitors, calling the backend. */
const CONFIG_MAP = '/api/v1/namespaces/frontend/configmaps/frontend-policy';

/** Puts the candidate where the bot looks for it. */
export async function propose(scene: Scene, yaml: string): Promise<void> {
  await scene.put(CONFIG_MAP, {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: 'frontend-policy', namespace: 'frontend', labels: { 'meshops.dev/policy': 'frontend' } },
    data: { 'frontend.yaml': yaml },
  });
}

/** Proposes, asks and approves. */
export async function enforce(scene: Scene, yaml: string, flags = '--window 10s'): Promise<Operation> {
  await propose(scene, yaml);
  const operation = await scene.begin(`/policy enforce frontend/frontend ${flags}`);
  const click = await operation.press('reviewer', 'meshops:approve');
  must(click.ok, `the approval was not taken: ${click.error}`);
  return operation;
}

function ended(outcome: Outcome, kind: Outcome['kind']): void {
  must(outcome.kind === kind, `the outcome is ${outcome.kind}: ${outcome.words}`);
}

export const policyStories: readonly Scenario[] = [
  {
    name: 'policy-good',
    story: 'a policy that lets all legitimate traffic through goes live by cohorts',
    play: async (scene) => {
      const operation = await enforce(scene, GOOD);
      const outcome = await operation.result();
      ended(outcome, 'completed');
      return { operation };
    },
  },
  {
    name: 'policy-missing-peer',
    story: 'one legitimate client is not in the candidate; it shows in the first cohort and is rolled back',
    play: async (scene) => {
      const operation = await enforce(scene, MISSING_PEER, '--no-observe');
      const outcome = await operation.result();
      ended(outcome, 'rolled-back');
      must(outcome.restoredExactly === true, 'the operation does not say that everything is as it was');
      return { operation };
    },
  },
];
