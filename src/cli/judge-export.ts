import { openDatabase } from '../audit/database.ts';
import { createRecords, type ListedRecord } from '../audit/records.ts';
import { databaseUrlOf } from '../compose/foundation.ts';
import { formatConfigError, readConfigFile } from '../config/read.ts';
import type { CliOptions } from './audit-verify.ts';

export interface JudgeExportOptions extends CliOptions {
  readonly operation: string;
  /** From 1, as `list` numbers them; left out: the watch that found harm, else the last one. */
  readonly watch?: number;
  /** Only says which watches there are. */
  readonly list: boolean;
}

/** Prints what the judge of one watch heard, for `meshops judge replay`. Exit code 0; 1 when the database cannot be read, 2 when there is no such record. */
export async function judgeExport({ environment, configPath, operation, watch, list, print }: JudgeExportOptions): Promise<number> {
  const read = await readConfigFile(configPath);
  if (!read.ok && environment.databaseUrl === undefined) {
    for (const error of read.errors) print(formatConfigError(configPath, error));
    return 1;
  }
  const url = read.ok ? databaseUrlOf(environment, read.config) : (environment.databaseUrl ?? '');
  const db = await openDatabase(url);
  try {
    const records = createRecords(db, () => Number.POSITIVE_INFINITY);
    const found = await records.list(operation);
    if (found.length === 0) {
      print(
        `No watch of ${operation} is kept. Check the id; records go after \`audit.keepWatches\`, and what still runs is not there yet.`,
      );
      return 2;
    }
    if (list) {
      for (const [index, record] of found.entries()) print(lineOf(index + 1, record));
      return 0;
    }
    const chosen = watch === undefined ? (found.findLast(({ verdict }) => verdict === 'harmful') ?? found.at(-1)) : found[watch - 1];
    const whole = chosen && (await records.read(operation, chosen.startedAt, chosen.attempt));
    if (!whole) {
      print(`${operation} has ${found.length} watches; there is no number ${watch}. \`--list\` shows them.`);
      return 2;
    }
    print(whole.text.trimEnd());
    return 0;
  } finally {
    await db.destroy();
  }
}

function lineOf(number: number, { stage, purpose, attempt, startedAt, endedAt, verdict, events }: ListedRecord): string {
  const seconds = ((endedAt - startedAt) / 1_000).toFixed(1);
  const again = attempt === 1 ? '' : `, attempt ${attempt}`;
  const begun = new Date(startedAt).toISOString();
  return `${number}  ${begun}  stage ${stage} (${purpose}${again})  ${seconds} s  ${events} events  ${verdict ?? 'no verdict'}`;
}
