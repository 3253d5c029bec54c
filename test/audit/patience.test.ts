import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type Database, openDatabase } from '../../src/audit/database.ts';
import { createAudit } from '../../src/audit/log.ts';

const target = { cluster: 'demo', namespace: 'backend', name: 'backend' };
const RECORD = { key: 'k1', at: 1_000, kind: 'write', opId: 'canary-k3f2', target, actor: 'operator@example.com', data: {} } as const;

let folder: string;
let db: Database;
let other: DatabaseSync;
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'meshops-patience-'));
  const file = join(folder, 'audit.db');
  db = await openDatabase(`sqlite:${file}`);
  other = new DatabaseSync(file);
});
afterEach(async () => {
  other.close();
  await db.destroy();
  rmSync(folder, { recursive: true });
});

test('a record waits for the lock of another process, and the thread goes on meanwhile', async () => {
  other.exec('begin immediate');
  const kept = createAudit(db).append([RECORD]);
  // A fuse on this thread would have this many chances; a call that waits inside SQLite leaves none.
  let turns = 0;
  for (const end = performance.now() + 400; performance.now() < end; turns += 1) await sleep(5);
  expect(turns).toBeGreaterThan(10);
  other.exec('rollback');
  await kept;
  expect(await createAudit(db).verify()).toMatchObject({ kind: 'intact', records: 1 });
});

test('a record that cannot be kept in time is refused, so that whoever keeps it tries again', async () => {
  other.exec('begin immediate');
  await expect(createAudit(db).append([RECORD])).rejects.toThrow(/locked/);
  other.exec('rollback');
  await createAudit(db).append([RECORD]);
  expect(await createAudit(db).verify()).toMatchObject({ kind: 'intact', records: 1 });
});
