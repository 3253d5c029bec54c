import { verifyChain } from '../audit/chain.ts';
import { openDatabase } from '../audit/database.ts';
import { databaseUrlOf } from '../compose/foundation.ts';
import type { Environment } from '../config/environment.ts';
import { formatConfigError, readConfigFile } from '../config/read.ts';

export interface CliOptions {
  readonly environment: Environment;
  readonly configPath: string;
  readonly signal: AbortSignal;
  readonly print: (line: string) => void;
}

/** Walks the audit record. Exit code 0 when it is as it was written. */
export async function auditVerify({ environment, configPath, signal, print }: CliOptions): Promise<number> {
  const read = await readConfigFile(configPath);
  if (!read.ok && environment.databaseUrl === undefined) {
    for (const error of read.errors) print(formatConfigError(configPath, error));
    return 1;
  }
  const url = read.ok ? databaseUrlOf(environment, read.config) : (environment.databaseUrl ?? '');
  const db = await openDatabase(url);
  try {
    const found = await verifyChain(db, signal);
    if (found.kind === 'intact') {
      print(`✓ ${found.records} records, none changed or missing. Head: ${found.head}`);
      return 0;
    }
    print(`✗ The record is broken at number ${found.seq}${found.key ? ` (${found.key})` : ''}: ${found.words}`);
    return 1;
  } finally {
    await db.destroy();
  }
}
