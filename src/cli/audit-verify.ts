import { verifyChain } from '../audit/chain.ts';
import { type CliOptions, withDatabase } from './database.ts';

/** Walks the audit record. Exit code 0 when it is as it was written, and has the record of `head`, a hash that was copied elsewhere. */
export async function auditVerify(options: CliOptions & { readonly head?: string }): Promise<number> {
  const { signal, print, head } = options;
  return withDatabase(options, async (db) => {
    const found = await verifyChain(db, signal, head);
    if (found.kind === 'intact') {
      print(`✓ ${found.records} records, none changed or missing. Head: ${found.head}`);
      return 0;
    }
    print(`✗ The record is broken at number ${found.seq}${found.key ? ` (${found.key})` : ''}: ${found.words}`);
    return 1;
  });
}
