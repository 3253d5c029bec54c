// Who changed what: the words for drift.
import type { OperationView } from '../../src/domain/operation.ts';
import { code, said } from '../../src/domain/words.ts';

/** One line for each difference: where, what was expected, what was found, by whose hand. */
export function driftLines(differences: NonNullable<OperationView['drift']>): readonly string[] {
  return differences.map(({ object, field, expected, found, manager }) => {
    const who = manager === undefined ? 'by an unknown hand' : `by ${code(manager)}`;
    return `•  ${said(object, 200)} ${code(field)}: expected ${code(expected.slice(0, 200))}, found ${code(found.slice(0, 200))}, ${who}`;
  });
}
