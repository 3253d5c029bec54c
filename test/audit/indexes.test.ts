import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openDatabase } from '../../src/audit/database.ts';

const folder = mkdtempSync(join(tmpdir(), 'meshops-indexes-'));
const path = join(folder, 'audit.db');
beforeAll(async () => (await openDatabase(`sqlite:${path}`)).destroy());
afterAll(() => rmSync(folder, { recursive: true }));

/** What people and fuses wait for must not read whole tables: they grow for years. */
test.each([
  ['the records of ten operations', "select * from audit where op_id in ('a', 'b') and kind in ('request') order by seq"],
  ['the last operations of a target', "select * from operations where target = 't' order by started_at desc limit 10"],
  ['the last operations of all', 'select * from operations order by started_at desc limit 10'],
  ['operations without an outcome', 'select * from operations where ended_at is null order by started_at limit 500'],
  ['the one that ended last', "select * from operations where target = 't' and ended_at is not null order by ended_at desc limit 1"],
])('%s are found by an index, without sorting all', (_, sql) => {
  const db = new DatabaseSync(path);
  const steps = db
    .prepare(`explain query plan ${sql}`)
    .all()
    .map(({ detail }) => String(detail));
  db.close();
  expect(steps.filter((step) => !/USING (COVERING )?INDEX/.test(step) && !/LAST TERM|ORDER BY/.test(step))).toEqual([]);
  if (sql.includes('limit')) expect(steps.join(' ')).not.toContain('TEMP B-TREE');
});
