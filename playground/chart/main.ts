// `npm run chart`: writes what is made out of the chart and of the configuration's schema; `--check` only says whether it is current.
import { readFile, writeFile } from 'node:fs/promises';
import { findClients } from '../cluster/binaries.ts';
import { reasonOf } from '../cluster/failure.ts';
import { progressPrinter } from '../cluster/progress.ts';
import { writtenWithHelm, writtenWithoutHelm } from './written.ts';

const root = new URL('../../', import.meta.url);
const isCheck = process.argv.includes('--check');
const stop = new AbortController();
process.once('SIGINT', () => stop.abort(new Error('Stopped.')));

async function main(): Promise<void> {
  const progress = progressPrinter(process.stderr);
  const write = async (files: ReadonlyMap<string, string>): Promise<void> => {
    for (const [path, text] of files) {
      const present = await readFile(new URL(path, root), 'utf8').catch(() => '');
      if (present === text) continue;
      if (isCheck) process.exitCode = 1;
      else await writeFile(new URL(path, root), text);
      process.stdout.write(`${path} ${isCheck ? 'is not current' : 'written'}\n`);
    }
  };
  // The schema first: helm refuses values by it.
  await write(await writtenWithoutHelm());
  const { helm } = await findClients({ env: process.env, os: process.platform, arch: process.arch, signal: stop.signal, progress });
  await write(await writtenWithHelm(helm));
}

main().catch((error: unknown) => {
  process.stderr.write(`${reasonOf(error)}\n`);
  process.exitCode = 1;
});
