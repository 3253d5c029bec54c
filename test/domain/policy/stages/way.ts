import type { Policy } from '../../../../src/domain/policy/policy.ts';
import type { Shape } from '../../../../src/domain/policy/stages/levels.ts';
import { momentsOf } from '../../../../src/domain/policy/stages/moments.ts';
import type { ShapeInput } from '../../../../src/domain/policy/stages/shape.ts';
import { valid } from '../cluster.ts';

/** All policies at each moment of the way. */
export function decidedOnTheWay({ others, existing, stagesOf }: ShapeInput, shape: Shape): readonly (readonly Policy[])[] {
  return momentsOf(stagesOf(shape), existing).map(({ documents }) => [...others, ...documents].map(valid));
}
