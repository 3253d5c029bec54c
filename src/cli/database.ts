import { type Database, openDatabase } from '../audit/database.ts';
import type { Environment } from '../config/environment.ts';
import { formatConfigError, readConfigFile } from '../config/read.ts';
import { databaseUrlOf } from '../connect/settings.ts';

export interface CliOptions {
  readonly environment: Environment;
  readonly configPath: string;
  readonly signal: AbortSignal;
  readonly print: (line: string) => void;
}

/** Opens the database for one piece of work, whose exit code it gives back; 1 where neither configuration nor environment names one. */
export async function withDatabase(
  { environment, configPath, print }: Omit<CliOptions, 'signal'>,
  work: (db: Database) => Promise<number>,
): Promise<number> {
  const read = await readConfigFile(configPath);
  if (!read.ok && environment.databaseUrl === undefined) {
    for (const error of read.errors) print(formatConfigError(configPath, error));
    return 1;
  }
  const db = await openDatabase(read.ok ? databaseUrlOf(environment, read.config) : (environment.databaseUrl ?? ''));
  try {
    return await work(db);
  } finally {
    await db.destroy();
  }
}
