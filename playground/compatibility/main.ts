// `npm run compatibility`: reads CRDs and protos of Cilium's maintained lines out of their Go modules and writes the table of docs/compatibility.md.
import { readFile, writeFile } from 'node:fs/promises';
import { reasonOf } from '../cluster/failure.ts';
import { ciliumTable, PAGE, withTable } from './table.ts';

const stop = new AbortController();
process.once('SIGINT', () => stop.abort(new Error('Stopped.')));
const page = new URL(`../../${PAGE}`, import.meta.url);

async function main(): Promise<void> {
  const table = await ciliumTable(process.env, stop.signal);
  await writeFile(page, withTable(await readFile(page, 'utf8'), table));
  process.stdout.write(`${table}\n`);
}

main().catch((error: unknown) => {
  process.stderr.write(`${reasonOf(error)}\n`);
  process.exitCode = 1;
});
