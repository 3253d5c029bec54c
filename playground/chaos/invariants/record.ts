import type { AuditRecord } from '../../../src/domain/lifecycle/operation.ts';
import { parseToken } from '../../../src/domain/lifecycle/plan.ts';
import type { OperationTruth } from '../operation-truth.ts';
import type { Invariant } from './invariant.ts';
import { isKnownToBeGone } from './told.ts';

export const THE_RECORD_TELLS_ALL: Invariant = {
  name: 'the audit record tells the whole story',
  says: 'Every request, decision, write, restore and outcome of every operation stands in the chain, and the chain is intact.',
  broken: (truth, atEnd) => {
    if (!atEnd || !truth.audit) return undefined;
    const { verified, records } = truth.audit;
    if (verified.kind === 'broken') return `the chain is broken: ${verified.words}`;
    for (const operation of truth.operations) {
      const missing = missingOf(
        operation,
        records.filter(({ opId }) => opId === operation.opId),
      );
      if (missing !== undefined) return `${operation.opId}: ${missing}`;
    }
    return undefined;
  },
};

function missingOf(operation: OperationTruth, records: readonly AuditRecord[]): string | undefined {
  if (operation.opId === undefined || operation.outcome === undefined) return undefined;
  const count = (kind: AuditRecord['kind']): number => records.filter((record) => record.kind === kind).length;
  if (count('request') < operation.requests.length) return 'a request is not recorded';
  if (count('outcome') !== 1) return `${count('outcome')} outcomes are recorded`;
  const decided = records.filter(({ kind, data }) => kind === 'decision' && data['choice'] !== 'expired').length;
  if (decided < operation.decisions.length) return `${decided} of ${operation.decisions.length} decisions are recorded`;
  const stages = new Set(
    operation.writes.filter(({ by }) => by.kind === 'person').map(({ after }) => after?.metadata.annotations?.['meshops.dev/operation']),
  );
  const written = new Set(
    records.filter(({ kind }) => kind === 'write').map(({ data }) => `${operation.opId}/${JSON.stringify(data['stage'])}`),
  );
  const unwritten = [...stages].find((token) => token !== undefined && !written.has(token));
  if (unwritten) return `the write of ${unwritten} is not recorded`;
  const undone = operation.writes.some(({ by }) => by.kind === 'bot');
  return undone && count('restore') === 0 ? 'an undo is not recorded' : undefined;
}

export const NOBODY_IS_HELD_BY_THE_DEAD: Invariant = {
  name: 'no target held by an operation that is over',
  says: 'A token on a route belongs to an operation that runs, to one that the record knows to be over, or to one of which people were told that its run is gone.',
  broken: (truth, atEnd) => {
    if (!atEnd || !truth.audit || truth.token === null) return undefined;
    const opId = parseToken(truth.token)?.opId;
    const holder = truth.byToken(truth.token);
    if (!holder || holder.run.isOpen || isKnownToBeGone(truth, holder)) return undefined;
    const isOver = truth.audit.records.some((record) => record.opId === opId && record.kind === 'outcome');
    return isOver ? undefined : `${truth.token} is on the route, its run is ${holder.run.status}, and the record has no outcome`;
  },
};

/** Ids of all runs of this process, with their seeds: one database may see them all. */
const ids = new Map<string, number>();

export const NO_ID_TWICE: Invariant = {
  name: 'no operation id twice',
  says: 'No two operations ever bear the same id.',
  broken: (truth) => {
    for (const { opId } of truth.operations) {
      if (opId === undefined) continue;
      // A run that takes over from one that is gone is the same operation.
      const key = truth.world.seed;
      const known = ids.get(opId);
      if (known === undefined) ids.set(opId, key);
      else if (known !== key) return `${opId} is the id of two operations`;
    }
    return undefined;
  },
};
