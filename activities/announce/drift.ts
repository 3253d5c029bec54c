// Who changed what, and what stands still: the words for drift and for freezes.
import type { Freeze } from '../../src/domain/freeze.ts';
import type { OperationView } from '../../src/domain/operation.ts';
import { code, moment, said } from './words.ts';

/** One line for each difference: where, what was expected, what was found, by whose hand. */
export function driftLines(differences: NonNullable<OperationView['drift']>): readonly string[] {
  return differences.map(({ object, field, expected, found, manager }) => {
    const who = manager === undefined ? 'by an unknown hand' : `by ${code(manager)}`;
    return `•  ${said(object, 200)} ${code(field)}: expected ${code(expected.slice(0, 200))}, found ${code(found.slice(0, 200))}, ${who}`;
  });
}

/** `Everything is frozen until 14:02 by Operator: release weekend.` */
export function frozenWords({ scope, until, by, reason }: Freeze): string {
  const what = scope === '*' ? 'everything' : code(scope);
  return `${what} is frozen until ${moment(until)} by ${said(by.name, 80)}: ${said(reason.replace(/\.$/, ''), 400)}.`;
}
