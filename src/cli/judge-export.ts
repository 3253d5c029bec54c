import { createRecords, type ListedRecord } from '../audit/records.ts';
import { type CliOptions, withDatabase } from './database.ts';

interface JudgeExportOptions extends CliOptions {
  readonly operation: string;
  /** From 1, as `list` numbers them; left out: the watch that found harm, else the last one. */
  readonly watch?: number;
  /** Only says which watches there are. */
  readonly list: boolean;
}

/** Prints what the judge of one watch heard, for `meshops judge replay`. Exit code 0; 1 when the database cannot be read, 2 when there is no such record. */
export async function judgeExport(options: JudgeExportOptions): Promise<number> {
  const { operation, watch, list, print } = options;
  return withDatabase(options, async (db) => {
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
  });
}

function lineOf(number: number, { stage, purpose, attempt, startedAt, endedAt, verdict, events }: ListedRecord): string {
  const seconds = ((endedAt - startedAt) / 1_000).toFixed(1);
  const again = attempt === 1 ? '' : `, attempt ${attempt}`;
  const begun = new Date(startedAt).toISOString();
  return `${number}  ${begun}  stage ${stage} (${purpose}${again})  ${seconds} s  ${events} events  ${verdict ?? 'no verdict'}`;
}
