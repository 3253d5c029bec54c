// `npm run pages`: writes the pages that are made out of the code; `--check` only says whether they are current.
import { readFileSync, writeFileSync } from 'node:fs';
import { CLI_PAGE, cliPage } from './cli.ts';

const path = new URL(`../../${CLI_PAGE}`, import.meta.url);
const text = cliPage();
const isCurrent = ((): boolean => {
  try {
    return readFileSync(path, 'utf8') === text;
  } catch {
    // Not written yet.
    return false;
  }
})();
if (process.argv.includes('--check')) process.exitCode = isCurrent ? 0 : 1;
else if (!isCurrent) writeFileSync(path, text);
process.stdout.write(`${CLI_PAGE} ${isCurrent ? 'is current' : process.exitCode === 1 ? 'is not current' : 'written'}\n`);
