import type { Database } from './database.ts';
import type { AuditRow } from './schema.ts';

const PAGE = 500;

/** Every record since an instant (epoch ms), oldest first, page by page. */
export async function* exportRows(db: Database, since: number, signal?: AbortSignal): AsyncGenerator<AuditRow> {
  let seq = 0;
  for (;;) {
    signal?.throwIfAborted();
    const rows = await db
      .selectFrom('audit')
      .selectAll()
      .where('seq', '>', seq)
      .where('at', '>=', since)
      .orderBy('seq')
      .limit(PAGE)
      .execute();
    yield* rows;
    const last = rows.at(-1);
    if (!last || rows.length < PAGE) return;
    seq = last.seq;
  }
}
