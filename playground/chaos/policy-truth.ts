import type { KubeObject } from '../../activities/clients/kubernetes/objects.ts';
import type { PlanResult, WatchInput } from '../../activities/contract.ts';
import { inForce } from '../../activities/policy/world.ts';
import type { JsonObject } from '../../src/domain/json.ts';
import { parseToken, TOKEN_ANNOTATION } from '../../src/domain/plan.ts';
import { compilePolicies, type Evaluator } from '../../src/domain/policy/evaluator.ts';
import { COHORT_LABEL } from '../../src/domain/policy/stages/rule-document.ts';
import type { Attempt } from './temporal/task.ts';
import type { Change } from './world/api-server.ts';
import { CONNECTIONS, type Connection, flowOf, type Workload } from './world/workload.ts';

/** What one policy operation has changed, and what it was to change. */
interface Rollout {
  readonly opId: string;
  readonly policy: string;
  /** The policy of that name before it; undefined where there was none. */
  readonly before: KubeObject | undefined;
  readonly candidate: JsonObject | undefined;
  /** A relax: the end is what was before the last one. */
  readonly isBack: boolean;
}

/** Keeps an eye on every policy operation: is a flow ever decided otherwise than both before and in the end? */
export class PolicyTruth {
  readonly #workload: Workload;
  readonly rollouts = new Map<string, Rollout>();
  readonly breaches: string[] = [];
  /** Watches of policies that ended healthy and had seen nothing of the pods under it. */
  readonly unseen: string[] = [];
  /** Something was deleted by another hand, or a pod was replaced. */
  isDisturbed = false;

  constructor(workload: Workload) {
    this.#workload = workload;
  }

  /** A plan was made: its details say what is to be in force. */
  ended({ type, input }: Attempt, result: unknown): void {
    if (type === 'policy.plan' && (result as PlanResult | undefined)?.kind === 'plan')
      this.#planned(input, result as Extract<PlanResult, { kind: 'plan' }>);
    if (type === 'policy.watch')
      this.#watched(input as WatchInput, result as { verdict: { kind: string }; counts: { canary: { requests: number } } } | undefined);
  }

  #planned(input: unknown, { plan }: Extract<PlanResult, { kind: 'plan' }>): void {
    const { opId } = input as { opId: string };
    if (this.rollouts.has(opId)) return;
    const { policy, candidate, change } = plan.details as { policy?: { name: string }; candidate?: JsonObject; change?: string };
    const name = policy?.name ?? '';
    const before = this.#workload.policies.find(({ metadata }) => metadata.name === name);
    this.rollouts.set(opId, {
      opId,
      policy: name,
      before,
      candidate: change === 'observe' ? undefined : candidate,
      isBack: change === 'back' || change === 'relax',
    });
  }

  #watched(
    { purpose, stage, opId }: WatchInput,
    result: { verdict: { kind: string }; counts: { canary: { requests: number } } } | undefined,
  ): void {
    if (purpose !== 'stage' || result?.verdict.kind !== 'healthy' || stage.label === 'observe') return;
    if (result.counts.canary.requests === 0)
      this.unseen.push(`${opId}: stage ${stage.label} passed without one connection of its pods seen`);
  }

  /** A write of meshops into a policy or a pod: decided now, before and in the end. */
  changed({ by, ref, after, before }: Change): void {
    if (by.kind === 'controller') return;
    if (by.kind === 'foreign') {
      if (ref.kind === 'CiliumNetworkPolicy' || ref.kind === 'Pod') this.isDisturbed = true;
      return;
    }
    if (ref.kind !== 'CiliumNetworkPolicy' && ref.kind !== 'Pod') return;
    const token = (after ?? before)?.metadata.annotations?.[TOKEN_ANNOTATION] ?? before?.metadata.annotations?.[TOKEN_ANNOTATION];
    const rollout = this.rollouts.get((token && parseToken(token)?.opId) || '');
    if (!rollout || rollout.isBack || this.isDisturbed) return;
    this.#compare(rollout);
  }

  #compare({ opId, policy, before, candidate }: Rollout): void {
    const { policies, pods } = this.#workload;
    const others = policies.filter(({ metadata }) => metadata.name !== policy && !metadata.name.includes(opId));
    const compile = (documents: readonly (KubeObject | JsonObject)[]): Evaluator => compilePolicies(inForce(documents, {}));
    const was = compile([...others, ...(before ? [before] : [])]);
    const end = candidate ? compile([...others, candidate]) : was;
    const now = compile(policies);
    for (const { metadata } of pods) {
      const own = labelsOf(metadata.labels ?? {});
      const plain = own.filter((label) => !label.startsWith(`k8s:${COHORT_LABEL}=`));
      for (const connection of CONNECTIONS) {
        const allowed = (evaluator: Evaluator, labels: readonly string[]): boolean =>
          evaluator.decide(flowOf(connection, labels, true)).verdict === 'allowed';
        const [a, b, c] = [allowed(was, plain), allowed(now, own), allowed(end, plain)];
        if (a === c && b !== a)
          this.breaches.push(
            `${opId}: ${wordsOf(connection)} is ${b ? 'allowed' : 'denied'} on the way, and ${a ? 'allowed' : 'denied'} before and in the end`,
          );
      }
    }
  }
}

function labelsOf(labels: Readonly<Record<string, string>>): readonly string[] {
  return [
    ...Object.entries(labels).map(([key, value]) => `k8s:${key}=${value}`),
    'k8s:io.kubernetes.pod.namespace=shop',
    'k8s:io.cilium.k8s.policy.cluster=default',
  ];
}

function wordsOf({ direction, peer, port, request }: Connection): string {
  return `${direction} ${peer[0]} port ${port}${request ? ` ${request.method} ${request.path}` : ''}`;
}
