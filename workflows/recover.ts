import type { Recovery } from '../src/domain/lost.ts';
import type { Ending } from '../src/domain/outcome.ts';
import { objectKey } from '../src/domain/plan.ts';
import type { Course } from './course.ts';

/** Goes on where a run was lost: with what was before and what may have been written. Everything ends with the undo, as ever. */
export function recover(course: Course, { originals, written, by, reason, how, keeps = false }: Recovery): Ending {
  // Stage 0, the claim, is in no plan.
  const claim = written.length > 0 ? [{ stage: 0, writes: claimOf(written) }] : [];
  course.originals = originals;
  course.keeps = keeps;
  course.written.push(...claim, ...written);
  for (const { object, token } of originals) course.tokens[objectKey(object)] = token;
  if (!by) return { kind: 'failed', code: 'RunLost', words: `Its run was ${how} on the Temporal server.` };
  return { kind: 'aborted', code: 'Aborted', by, ...(reason !== undefined && { reason }) };
}

function claimOf(written: Recovery['written']): Recovery['written'][number]['writes'] {
  const firsts = new Map(written.toReversed().flatMap(({ writes }) => writes.map((write) => [objectKey(write.object), write] as const)));
  return [...firsts.values()].map((write) => ({ ...write, after: write.before }));
}
