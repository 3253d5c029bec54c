import { expect, it } from 'vitest';
import { openDatabase } from '../../src/audit/database.ts';
import { createFreezes } from '../../src/audit/freezes.ts';
import { createAudit } from '../../src/audit/log.ts';
import { CONFIGURED } from '../../src/domain/lifecycle/freeze.ts';
import type { AuditRecord } from '../../src/domain/lifecycle/operation.ts';

const AT = Date.UTC(2026, 0, 1);
const target = { cluster: 'demo', namespace: 'backend', name: 'backend' };
const by = { id: 'operator@example.com', name: 'Operator' };

async function opened() {
  let now = AT;
  const db = await openDatabase(':memory:');
  const freezes = createFreezes(db, () => now);
  return {
    db,
    freezes,
    pass: (ms: number) => void (now += ms),
    set: (scope: string, ms: number) => freezes.set({ scope, reason: 'r', by, setAt: now, until: now + ms }),
  };
}

it.each(['*', 'demo', 'demo/backend', 'demo/backend/backend'])('a freeze of %s covers the target', async (scope) => {
  const { freezes, set } = await opened();
  await set(scope, 60_000);
  expect(await freezes.active(target)).toMatchObject({ scope, by });
});

it.each(['other', 'demo/frontend', 'demo/backend/other', 'demo/back'])('a freeze of %s does not', async (scope) => {
  const { freezes, set } = await opened();
  await set(scope, 60_000);
  expect(await freezes.active(target)).toBeUndefined();
});

it('ends by itself, and by being lifted; the one that lasts longest is told', async () => {
  const { freezes, set, pass } = await opened();
  await set('demo', 60_000);
  await set('*', 120_000);
  expect((await freezes.active(target))?.scope).toBe('*');
  expect((await freezes.list()).map((freeze) => freeze.scope)).toEqual(['demo', '*']);
  await freezes.lift('*');
  expect((await freezes.active(target))?.scope).toBe('demo');
  pass(60_000);
  expect(await freezes.active(target)).toBeUndefined();
  expect(await freezes.list()).toEqual([]);
  expect(await freezes.lift('demo')).toBeUndefined();
});

it('one that stands in the file counts beside those of the database, in its scope only, and is not lifted', async () => {
  const db = await openDatabase(':memory:');
  const standing = { scope: 'demo/backend', reason: 'weekend', by: CONFIGURED, setAt: AT, until: AT + 90_000 };
  const freezes = createFreezes(
    db,
    () => AT,
    () => [standing],
  );
  expect(await freezes.active(target)).toEqual(standing);
  expect(await freezes.active({ ...target, namespace: 'frontend' })).toBeUndefined();
  await freezes.set({ scope: 'demo', reason: 'r', by, setAt: AT, until: AT + 60_000 });
  expect((await freezes.active(target))?.scope).toBe('demo/backend');
  await freezes.set({ scope: 'demo', reason: 'r', by, setAt: AT, until: AT + 120_000 });
  expect((await freezes.active(target))?.scope).toBe('demo');
  expect((await freezes.list()).map((freeze) => freeze.scope)).toEqual(['demo/backend', 'demo']);
  expect(await freezes.lift('demo/backend')).toBeUndefined();
  expect(await freezes.list()).toHaveLength(2);
});

it('history tells what was asked, by whom, approved by whom, and the numbers, newest first', async () => {
  const { db } = await opened();
  const audit = createAudit(db);
  const record = (opId: string, at: number, kind: AuditRecord['kind'], data: AuditRecord['data'], actor?: string): AuditRecord => ({
    key: `${opId}/${kind}/${at}`,
    at,
    kind,
    opId,
    target,
    data,
    ...(actor && { actor }),
  });
  const counts = { canary: { requests: 100, failures: 2 }, stable: { requests: 900, failures: 1 } };
  await audit.append([
    record('canary-old111', AT, 'request', { text: '/mesh canary backend 10%' }, 'operator@example.com'),
    record('canary-old111', AT + 1, 'decision', { choice: 'approve' }, 'reviewer@example.com'),
    record('canary-old111', AT + 2, 'outcome', { kind: 'completed', words: 'Done.', counts, message: { channelId: 'C0MESH', ts: '1.1' } }),
    record('canary-new222', AT + 10, 'request', { text: '/mesh canary backend 25%' }, 'operator@example.com'),
  ]);
  const past = await audit.history(target);
  expect(past.map((one) => one.opId)).toEqual(['canary-new222', 'canary-old111']);
  expect(past[1]).toMatchObject({
    text: '/mesh canary backend 10%',
    requester: 'operator@example.com',
    approvers: ['reviewer@example.com'],
    counts,
    outcome: 'completed',
    words: 'Done.',
    startedAt: AT,
    endedAt: AT + 2,
    message: { channelId: 'C0MESH', ts: '1.1' },
  });
  expect(past[0]).not.toHaveProperty('outcome');
  expect(await audit.history({ ...target, name: 'other' })).toEqual([]);
});
