import type { KubeObject, Pod } from '../../src/clients/kubernetes/objects.ts';
import type { JsonObject } from '../../src/domain/json.ts';
import type { PlanResult, WatchInput, WatchResult } from '../../src/domain/lifecycle/contract.ts';
import { parseToken, TOKEN_ANNOTATION } from '../../src/domain/lifecycle/plan.ts';
import { compilePolicies, type Evaluator } from '../../src/domain/policy/evaluator.ts';
import { COHORT_LABEL } from '../../src/domain/policy/stages/rule-document.ts';
import { selects } from '../../src/reading/policy/subject.ts';
import { inForce } from '../../src/reading/policy/world.ts';
import type { Attempt } from './temporal/attempt.ts';
import type { Change } from './world/api-server.ts';
import { CONNECTIONS, type Connection, flowOf } from './world/connections.ts';
import type { Workload } from './world/workload.ts';

/** What one policy operation has changed, and what it was to change. */
interface Rollout {
  readonly opId: string;
  readonly policy: string;
  /** The policy of that name before it; undefined where there was none. */
  readonly before: KubeObject | undefined;
  readonly candidate: JsonObject | undefined;
  /** The policy whose pods it is about, also where nothing is to be enforced. */
  readonly about: JsonObject | undefined;
  /** A relax: the end is what was before the last one. */
  readonly isBack: boolean;
  /** A way back that only opens is no rollout: it is written beside one, has no fuse, and nothing that it is watched for undoes it. */
  readonly lowers: boolean;
  /** In the end there is none. */
  readonly removes: boolean;
}

/** Keeps an eye on every policy operation: is a flow ever decided otherwise than both before and in the end? */
export class PolicyTruth {
  readonly #workload: Workload;
  readonly rollouts = new Map<string, Rollout>();
  readonly breaches: string[] = [];
  /** Watches of policies that ended healthy and had seen nothing of the pods under it. */
  readonly unseen: string[] = [];
  /** Names of policies that another hand has changed: what they were before and are to be says nothing any more. */
  readonly #touched = new Set<string>();
  /** Pods that two operations have written at the same time. */
  readonly shared: string[] = [];
  /** The operations that have put their label on a pod or their token on a policy, and may be at work on it still. */
  isAtWork: (opId: string) => boolean = () => false;

  constructor(workload: Workload) {
    this.#workload = workload;
  }

  /** A plan was made: its details say what is to be in force. */
  ended({ type, input }: Attempt, result: unknown): void {
    if (type === 'policy.plan' && (result as PlanResult | undefined)?.kind === 'plan')
      this.#planned(input, result as Extract<PlanResult, { kind: 'plan' }>);
    if (type === 'policy.watch')
      this.#watched(input as WatchInput, result as Pick<WatchResult, 'verdict' | 'counts' | 'relieved'> | undefined);
  }

  #planned(input: unknown, { plan }: Extract<PlanResult, { kind: 'plan' }>): void {
    const { opId } = input as { opId: string };
    const known = this.rollouts.get(opId);
    if (known) this.rollouts.set(opId, { ...known, lowers: plan.lowers === true });
    if (known) return;
    const { policy, candidate, change } = plan.details as { policy?: { name: string }; candidate?: JsonObject; change?: string };
    const name = policy?.name ?? '';
    const before = this.#workload.policies.find(({ metadata }) => metadata.name === name);
    this.rollouts.set(opId, {
      opId,
      policy: name,
      before,
      candidate: change === 'observe' || change === 'delete' ? undefined : candidate,
      removes: change === 'delete',
      about: candidate,
      isBack: change === 'back' || change === 'relax',
      lowers: plan.lowers === true,
    });
  }

  #watched({ purpose, stage, opId }: WatchInput, result: Pick<WatchResult, 'verdict' | 'counts' | 'relieved'> | undefined): void {
    // One that is stopped says what it has seen so far; nothing passes by that.
    if (purpose !== 'stage' || result?.verdict.kind !== 'healthy' || result.relieved || stage.label === 'observe') return;
    if (result.counts.canary.requests === 0)
      this.unseen.push(`${opId}: stage ${stage.label} passed without one connection of its pods seen`);
  }

  /** A write of meshops into a policy or a pod: decided now, before and in the end. */
  changed({ by, ref, after, before }: Change): void {
    if (by.kind === 'controller') return;
    if (by.kind === 'foreign') {
      if (ref.kind === 'CiliumNetworkPolicy') this.#touched.add(ref.name);
      return;
    }
    if (ref.kind !== 'CiliumNetworkPolicy' && ref.kind !== 'Pod') return;
    const token = (after ?? before)?.metadata.annotations?.[TOKEN_ANNOTATION] ?? before?.metadata.annotations?.[TOKEN_ANNOTATION];
    const rollout = this.rollouts.get((token && parseToken(token)?.opId) || '');
    if (!rollout) return;
    this.#meets(rollout);
    if (!rollout.isBack && !this.#isTouched(rollout)) this.#compare(rollout);
  }

  /** The operations of whose pods some are on this node now: all their connections are decided there, and nowhere else. */
  carriedBy(node: string): ReadonlySet<string> {
    const there = this.#workload.pods.filter((pod) => (pod as Pod).spec.nodeName === node);
    const labels = there.map(({ metadata }) => labelsOf(metadata.labels ?? {}));
    const carried = [...this.rollouts.values()].filter(({ about }) =>
      inForce(about ? [about] : [], {}).some((policy) => labels.some((own) => selects(policy, own))),
    );
    return new Set(carried.map(({ opId }) => opId));
  }

  #isTouched({ policy, opId }: Rollout): boolean {
    return [...this.#touched].some((name) => name === policy || name.includes(opId));
  }

  /** Another operation whose policies select one of the pods that this one's select, while both are at work. */
  #meets({ opId, lowers }: Rollout): void {
    if (lowers) return;
    const { policies, pods } = this.#workload;
    const labelled = pods.map(({ metadata }) => ({ name: metadata.name, labels: labelsOf(metadata.labels ?? {}) }));
    const heldBy = (holder: string): readonly string[] => {
      const own = inForce(
        policies.filter((policy) => opIdOf(policy) === holder),
        {},
      );
      return labelled.filter(({ labels }) => own.some((policy) => selects(policy, labels))).map(({ name }) => name);
    };
    const mine = new Set(heldBy(opId));
    const others = new Set(policies.map(opIdOf).filter((one) => one !== undefined && one !== opId && this.#rollsOut(one)));
    for (const other of others) {
      const both = other === undefined ? undefined : heldBy(other).find((name) => mine.has(name));
      if (both !== undefined) this.shared.push(`${opId} and ${other} are at work on pod ${both} at the same time`);
    }
  }

  #rollsOut(opId: string): boolean {
    return this.isAtWork(opId) && this.rollouts.get(opId)?.lowers !== true;
  }

  #compare({ opId, policy, before, candidate, removes }: Rollout): void {
    const { policies, pods } = this.#workload;
    const others = policies.filter((one) => one.metadata.name !== policy && !one.metadata.name.includes(opId) && opIdOf(one) !== opId);
    const compile = (documents: readonly (KubeObject | JsonObject)[]): Evaluator => compilePolicies(inForce(documents, {}));
    const was = compile([...others, ...(before ? [before] : [])]);
    const end = removes ? compile(others) : candidate ? compile([...others, candidate]) : was;
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

/** The operation whose token an object bears. */
function opIdOf({ metadata }: KubeObject): string | undefined {
  return parseToken(metadata.annotations?.[TOKEN_ANNOTATION] ?? '')?.opId;
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
