import { expect, test } from 'vitest';
import { contextOf, decidedIn, judgedFrom } from '../../../activities/policy/context.ts';
import type { JsonObject } from '../../../src/domain/json.ts';
import type { WatchInput } from '../../../src/domain/lifecycle/contract.ts';
import type { PolicyFlow } from '../../../src/domain/policy/flow.ts';
import { shadowName } from '../../../src/domain/policy/stages/stages.ts';
import type { World } from '../../../src/reading/policy/world.ts';
import { FULL, OP, policyDocument, stagesOf } from '../../domain/policy/stages/documents.ts';

const { stages, policy, shadow } = stagesOf({ observeOnly: true });
const legacy: PolicyFlow = {
  source: { labels: ['k8s:app=legacy', 'k8s:io.kubernetes.pod.namespace=legacy', 'k8s:io.cilium.k8s.policy.cluster=default'] },
  destination: { labels: ['k8s:app=frontend', 'k8s:io.kubernetes.pod.namespace=frontend', 'k8s:io.cilium.k8s.policy.cluster=default'] },
  protocol: 'TCP',
  destinationPort: 8080,
};

function watchOf(number: number): WatchInput {
  const details = {
    change: 'observe',
    opId: OP,
    policy,
    shadow: { ref: shadow, directions: ['ingress'] },
    directions: ['ingress'],
    windowMs: 1_000,
    observeStage: stages[0]?.number,
    cleanStage: stages[1]?.number,
    candidate: FULL,
    accepted: [],
  };
  const written = stages.filter((stage) => stage.number <= number).map((stage) => ({ stage: stage.number, writes: stage.writes }));
  return {
    purpose: 'stage',
    stage: stages.find((stage) => stage.number === number),
    plan: { details, originals: [] },
    fuse: { originals: [], written },
    view: { stages: [] },
  } as unknown as WatchInput;
}

test('the clean-up of a shadow is held to what the shadow let through: others may have come to deny it meanwhile', () => {
  const allowing = policyDocument({ ingress: [{ fromEndpoints: [{ matchLabels: { 'k8s:io.kubernetes.pod.namespace': 'legacy' } }] }] });
  const input = watchOf(stages[1]?.number ?? 0);
  const shadowed = {
    ...input,
    fuse: { ...input.fuse, written: input.fuse.written.map((one) => ({ ...one, writes: one.writes.map(allow) })) },
  };
  function allow(write: (typeof input.fuse.written)[number]['writes'][number]) {
    return 'kind' in write && write.kind === 'delete' ? write : { ...write, after: { '/spec': null, '/specs': [loose(allowing)] } };
  }
  const deny = { ...policyDocument({ ingress: [{ fromEntities: ['ingress'] }] }), metadata: { name: 'baseline', namespace: 'frontend' } };
  const world = { documents: [deny], compile: {}, config: {} } as unknown as World;
  const { compared } = decidedIn(shadowed as WatchInput, world, 0);
  expect(compared.before.decide(legacy).ingress?.allowed).toBe(true);
  expect(compared.candidate.decide(legacy).ingress?.allowed).toBe(false);
  expect(shadow?.name).toBe(shadowName(OP));
});

function loose({ spec }: JsonObject): JsonObject {
  return { ...(spec as JsonObject), enableDefaultDeny: { ingress: false, egress: false } };
}

test('a write was before its watch, also where the clock of whoever noted it is ahead', () => {
  const at = (startedAt: number) =>
    judgedFrom({ purpose: 'stage', stage: { number: 3 }, view: { stages: [{ number: 3, startedAt }] } } as never, 100_000);
  expect(at(99_000)).toBe(99_000);
  expect(at(160_000)).toBe(100_000);
});

test('after an undo nothing is to be proved: what is still dropped counts, what does not come does not', () => {
  const input = { ...watchOf(stages[0]?.number ?? 0), purpose: 'restored' } as WatchInput;
  const { compared, step } = decidedIn(input, { documents: [], compile: {}, config: {} }, 0);
  expect(compared.candidate.decide(legacy).ingress?.allowed).toBe(false);
  expect(step).toBeUndefined();
});

test('once the policy is the same for all, nobody goes first, also where a pod that did was replaced', () => {
  const { stages: rollout, policy: ref } = stagesOf();
  const details = {
    change: 'enforce',
    opId: OP,
    policy: ref,
    directions: ['ingress'],
    windowMs: 1_000,
    candidate: FULL,
    accepted: [],
  };
  const cohortAt = (label: RegExp) => {
    const stage = rollout.find((one) => label.test(one.label));
    const until = rollout.filter(({ number }) => number <= (stage?.number ?? 0));
    // The labels of pods that have gone are taken off nobody.
    const written = until.map(({ number, writes }) => ({
      stage: number,
      writes:
        number === stage?.number ? writes.filter(({ object, after }) => object.kind !== 'Pod' || Object.values(after)[0] !== null) : writes,
    }));
    const input = { purpose: 'stage', stage, plan: { details, originals: [] }, fuse: { originals: [], written }, view: { stages: [] } };
    return contextOf(input as unknown as WatchInput, { documents: [], compile: {}, config: {} }, [], 0).cohort;
  };
  expect(cohortAt(/^ingress, 1 pod/)?.size).toBe(1);
  expect(cohortAt(/^ingress, all pods/)).toBeUndefined();
});
