import { expect, test } from 'vitest';
import { openDatabase } from '../../src/audit/database.ts';
import { createAudit } from '../../src/audit/log.ts';
import { recordRules } from '../../src/audit/rules.ts';

const gate = (quorum: number) => ({ gates: [{ above: 0, quorum, approvers: { emails: ['reviewer@example.com'] } }] });

test('each change of the gates is on record once, with what was before, and is no operation', async () => {
  const db = await openDatabase(':memory:');
  const audit = createAudit(db);
  const note = (quorum: number) => recordRules({ db, audit, now: () => 1_000 }, gate(quorum));
  expect([await note(2), await note(2), await note(1), await note(2)]).toEqual([true, false, true, true]);
  const rows = await db.selectFrom('audit').select('body').where('kind', '=', 'rules').orderBy('seq').execute();
  expect(rows.map(({ body }) => (JSON.parse(body) as { data: object }).data)).toEqual([
    { rules: gate(2) },
    { rules: gate(1), before: gate(2) },
    { rules: gate(2), before: gate(1) },
  ]);
  // Two processes that see the same change at once write one record.
  await Promise.all([note(3), note(3)]);
  expect(await db.selectFrom('audit').select('seq').where('kind', '=', 'rules').execute()).toHaveLength(4);
  expect(await audit.open()).toEqual([]);
  expect(await audit.verify()).toMatchObject({ kind: 'intact' });
  await db.destroy();
});
