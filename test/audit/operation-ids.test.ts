import { expect, test } from 'vitest';
import { openDatabase } from '../../src/audit/database.ts';
import { createAudit } from '../../src/audit/log.ts';
import { createRequests } from '../../src/audit/requests.ts';
import { parseCommand } from '../../src/domain/commands/parse.ts';
import { parseToken, tokenOf } from '../../src/domain/lifecycle/plan.ts';
import { request } from '../support/operations.ts';

const NOW = 1_000;

/** Chance that gives `first` again and again for the first `times` ids, and then `second`. */
function unlucky(times: number): () => number {
  let asked = 0;
  return () => (Math.floor(asked++ / 8) < times ? 3 : 4);
}

test('an id is readable, fits every place that takes one, and is given once', async () => {
  const requests = createRequests(await openDatabase(':memory:'));
  const ids = await Promise.all(Array.from({ length: 200 }, () => requests.newOperationId('canary', NOW)));
  expect(new Set(ids).size).toBe(200);
  for (const id of ids) {
    expect(id).toMatch(/^canary-[2-9b-z]{8}$/);
    expect(parseToken(tokenOf(id, 3))).toEqual({ opId: id, stage: 3 });
  }
  expect(parseCommand(`release ${ids[0]}`, { root: 'mesh' })).toMatchObject({ kind: 'release', operation: ids[0] });
});

test('chance that repeats itself gives no id twice, not even one whose reservation is forgotten', async () => {
  const db = await openDatabase(':memory:');
  const first = await createRequests(db, unlucky(9)).newOperationId('canary', NOW);
  expect(await createRequests(db, unlucky(1)).newOperationId('canary', NOW)).not.toBe(first);
  const { target } = request();
  await createAudit(db).started({ opId: first, workflowId: 'w', runId: 'r', target, at: NOW });
  const later = createRequests(db, unlucky(1));
  await later.forget(NOW + 1);
  expect(await later.newOperationId('canary', NOW + 2)).not.toBe(first);
});

test('ids of earlier versions are read as before', () => {
  expect(parseToken('canary-bfda4e/2')).toEqual({ opId: 'canary-bfda4e', stage: 2 });
});
