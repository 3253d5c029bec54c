import { expect, it } from 'vitest';
import { openDatabase } from '../../src/audit/database.ts';
import { createRecords } from '../../src/audit/records.ts';
import type { WatchRecord } from '../../src/ports.ts';

const DAY = 86_400_000;
const AT = Date.UTC(2026, 0, 1);
function record(over: Partial<WatchRecord> = {}): WatchRecord {
  return {
    opId: 'canary-a',
    stage: 1,
    purpose: 'stage',
    startedAt: AT,
    attempt: 1,
    endedAt: AT + 1_000,
    verdict: 'healthy',
    events: 2,
    text: '{"settings":{}}\n{"kind":"tick"}\n',
    ...over,
  };
}

it('gives back what was kept, in the order of the watches', async () => {
  const records = createRecords(await openDatabase(':memory:'), () => DAY);
  await records.keep(record({ startedAt: AT + 5, stage: 2, verdict: 'harmful' }));
  await records.keep(record());
  const { verdict: _, ...silent } = record({ attempt: 2 });
  await records.keep(silent);
  await records.keep(record({ opId: 'canary-b' }));
  const listed = await records.list('canary-a');
  expect(listed.map(({ stage, attempt, verdict }) => [stage, attempt, verdict])).toEqual([
    [1, 1, 'healthy'],
    [1, 2, undefined],
    [2, 1, 'harmful'],
  ]);
  expect(await records.read('canary-a', AT, 2)).toEqual(silent);
  expect(await records.read('canary-a', AT, 3)).toBeUndefined();
});

it('keeps one record of an attempt that tells it twice', async () => {
  const records = createRecords(await openDatabase(':memory:'), () => DAY);
  await records.keep(record());
  await records.keep(record({ events: 3 }));
  expect(await records.list('canary-a')).toMatchObject([{ events: 3 }]);
});

it('forgets what is older than it is told to keep', async () => {
  const records = createRecords(await openDatabase(':memory:'), () => DAY);
  await records.keep(record());
  await records.keep(record({ opId: 'canary-b', startedAt: AT + DAY, endedAt: AT + DAY + 2_000 }));
  expect(await records.list('canary-a')).toEqual([]);
  expect(await records.list('canary-b')).toHaveLength(1);
});

it('forgets the oldest where all of them take up too much', async () => {
  const db = await openDatabase(':memory:');
  const records = createRecords(db, () => 365 * DAY);
  for (let n = 0; n < 4; n += 1) await records.keep(record({ opId: `canary-${n}`, endedAt: AT + n }));
  await db
    .updateTable('watch_records')
    .set({ bytes: 200 * 2 ** 20 })
    .execute();
  await records.keep(record({ opId: 'canary-new', endedAt: AT + 10 }));
  const left = await db.selectFrom('watch_records').select('op_id').orderBy('ended_at').execute();
  expect(left.map(({ op_id }) => op_id)).toEqual(['canary-2', 'canary-3', 'canary-new']);
});
