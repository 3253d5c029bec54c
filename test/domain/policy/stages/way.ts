import type { Direction, Policy } from '../../../../src/domain/policy/policy.ts';
import type { Shape } from '../../../../src/domain/policy/stages/levels.ts';
import { momentsOf } from '../../../../src/domain/policy/stages/moments.ts';
import type { ShapeInput } from '../../../../src/domain/policy/stages/shape.ts';
import { policyStages } from '../../../../src/domain/policy/stages/stages.ts';
import { cluster, type Way } from '../arbitrary.ts';
import { valid } from '../cluster.ts';
import { OP, podsOf } from './documents.ts';

/** All policies at each moment of the way. */
export function decidedOnTheWay({ others, existing, stagesOf }: ShapeInput, shape: Shape): readonly (readonly Policy[])[] {
  return momentsOf(stagesOf(shape), existing).map(({ documents }) => [...others, ...documents].map(valid));
}

/** The question that a plan asks of a random way. */
export function inputOf({ others, before, candidate }: Way, observed: readonly Direction[] = []) {
  const stagesOf = (shape: Shape) =>
    policyStages({
      opId: OP,
      firstStage: 1,
      namespace: 'back',
      candidate,
      policyName: 'way',
      ...(before && { existing: { uid: 'u', generation: 1, document: before } }),
      pods: podsOf(4),
      observed,
      windowMs: 1_000,
      observeOnly: false,
      shape,
    }).stages;
  return { others, existing: before, candidate, world: cluster, stagesOf };
}
