import type { ObjectRef } from '../../src/domain/lifecycle/plan.ts';

export { type LastWrite, lastWrites } from '../../src/domain/lifecycle/written.ts';

/** Pods come and go by themselves: one that has gone is no change of hands, and nothing of it is left to put back. */
export function comesAndGoes({ kind }: ObjectRef): boolean {
  return kind === 'Pod';
}
