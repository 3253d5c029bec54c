import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { DatabaseSync } from 'node:sqlite';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Database, openDatabase } from '../../src/audit/database.ts';
import { createAudit } from '../../src/audit/log.ts';
import type { JsonObject } from '../../src/domain/json.ts';
import { step } from '../cluster/progress.ts';
import type { Bench } from './bench.ts';

const RECORDS = 1_000_000;
const EACH = 20;
const TARGETS = 200;
const TURNS = 20;
/** What this version has added to the tables of before. */
const INDEXES = ['audit_by_operation', 'operations_by_start', 'operations_by_target_start', 'operations_open'] as const;

/** How long looking things up in a large audit record holds up the thread on which fuses fire. */
export const history: Bench = {
  name: 'history',
  what: `longest pause of the event loop while history is read from ${RECORDS.toLocaleString('en')} records, without and with its indexes`,
  run: async ({ progress }) => {
    const folder = mkdtempSync(join(tmpdir(), 'meshops-history-'));
    const path = join(folder, 'audit.db');
    try {
      await (await openDatabase(`sqlite:${path}`)).destroy();
      await step(progress, 'records', async () => ({ value: fill(path), detail: `${RECORDS} written` }));
      const before = await measured(path);
      const migration = await migrated(path);
      const after = await measured(path);
      return { records: RECORDS, operations: RECORDS / EACH, turns: TURNS, before, migrationMs: migration, after };
    } finally {
      rmSync(folder, { recursive: true });
    }
  },
};

/** The tables as they were before, full. */
function fill(path: string): void {
  const db = new DatabaseSync(path);
  db.exec('pragma synchronous = off');
  for (const index of INDEXES) db.exec(`drop index ${index}`);
  db.exec("delete from kysely_migration where name = '004-history-indexes'");
  const record = db.prepare('insert into audit values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)');
  const operation = db.prepare('insert into operations values (?, ?, ?, ?, ?, ?, ?, ?)');
  const body = JSON.stringify({ data: { choice: 'approve', text: 'canary backend 10%', filling: 'x'.repeat(300) } });
  const outcome = JSON.stringify({ words: 'All stages are in force.', originals: [], filling: 'x'.repeat(300) });
  db.exec('begin');
  for (let seq = 1; seq <= RECORDS; seq++) {
    const number = Math.floor((seq - 1) / EACH);
    const [opId, target] = [`canary-${number}`, `demo/shop/service-${number % TARGETS}`];
    const kind = ['request', 'plan', 'gate', 'decision', 'write'][seq % 5] ?? 'write';
    record.run(seq, `${opId}/${seq}`, seq, kind, opId, target, 'a@example.com', body, String(seq - 1), String(seq));
    if (seq % EACH === 1) operation.run(opId, `mesh/${target}`, 'run', target, seq, seq + EACH, 'completed', outcome);
  }
  db.exec('commit');
  db.close();
}

async function migrated(path: string): Promise<number> {
  const begun = performance.now();
  await (await openDatabase(`sqlite:${path}`)).destroy();
  return Math.round(performance.now() - begun);
}

/** Longest pause of each look, in milliseconds. Opened by hand, since `openDatabase` brings the tables up to date. */
async function measured(path: string): Promise<JsonObject> {
  const { sqliteDialect } = await import('../../src/audit/sqlite.ts');
  const { Kysely } = await import('kysely');
  const db: Database = new Kysely({ dialect: sqliteDialect(path) });
  const audit = createAudit(db);
  const target = { cluster: 'demo', namespace: 'shop', name: 'service-7' };
  try {
    return {
      historyOfTargetMs: await longestPause(() => audit.history(target)),
      historyOfAllMs: await longestPause(() => audit.history(undefined)),
      openMs: await longestPause(() => audit.open()),
      lastEndedMs: await longestPause(() => audit.lastEnded(target)),
      lostMs: await longestPause(() => audit.lost('canary-40000')),
    };
  } finally {
    await db.destroy();
  }
}

async function longestPause(look: () => Promise<unknown>): Promise<number> {
  const delay = monitorEventLoopDelay({ resolution: 1 });
  delay.enable();
  for (let turn = 0; turn < TURNS; turn++) {
    await look();
    await sleep(2);
  }
  delay.disable();
  return Math.round(delay.max / 1e5) / 10;
}
