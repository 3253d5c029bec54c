import type { PlanResult } from '../../src/domain/lifecycle/contract.ts';
import type { Plan } from '../../src/domain/lifecycle/plan.ts';

/** Half of what Temporal takes as one payload (2 MiB): the rest is for what comes beside a plan, and for another cluster's limits. */
const MOST_BYTES = 2 ** 20;

/**
 * Every watch carries the plan, what was before, and all that was written: nothing that its fuse needs is to be fetched first. A plan that
 * cannot be carried is refused here, before anything is written. `sizeOf`: bytes of a value as a payload.
 */
export async function refuseTooLarge(result: PlanResult, sizeOf: (value: unknown) => Promise<number>): Promise<PlanResult> {
  if (result.kind !== 'plan') return result;
  const { plan } = result;
  const { originals, stages } = plan;
  const bytes = await sizeOf({ plan, originals, written: stages, claim: stages[0] });
  if (bytes <= MOST_BYTES) return result;
  const size = Number.isFinite(bytes) ? `${(bytes / 2 ** 20).toFixed(1)} MiB` : 'too much to be packed';
  const words = `The plan has ${writesOf(plan)} writes on ${originals.length} objects in ${stages.length} stages: ${size}, and ${MOST_BYTES / 2 ** 20} MiB can be carried.`;
  return {
    kind: 'impossible',
    code: 'TooLarge',
    words: `${words} Nothing was changed. Use fewer stages (\`--steps\`), or change fewer objects at a time.`,
  };
}

function writesOf({ stages }: Plan): number {
  return stages.reduce((all, { writes }) => all + writes.length, 0);
}
