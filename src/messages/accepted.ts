import type { Doubt } from '../domain/judge/verdict.ts';
import type { OperationView } from '../domain/lifecycle/operation.ts';
import { number, said } from '../domain/words/words.ts';

/** Drops that an approver would accept, and those that one has accepted: exactly these, and so many of each. */
export function acceptedLines({ gate, accepted: given = [] }: OperationView): readonly string[] {
  const asked = gate?.accepts ?? [];
  return [
    ...(asked.length > 0 ? ['*To be accepted, exactly these; more is asked again:*', ...asked.map(line)] : []),
    ...(given.length > 0 ? ['*Accepted in this operation:*', ...given.map(line)] : []),
  ];
}

function line({ words, most }: Doubt): string {
  return `•  ${said(words, 300)}${most === undefined ? '' : `; up to ${number(most)} in each step`}`;
}
