import { formatConfigError, readConfigFile } from '../config/read.ts';
import { formatFound, type ProcessName, summaryOf } from '../doctor/checks.ts';
import { examine } from '../doctor/examine.ts';
import type { CliOptions } from './database.ts';

/** Checks every connection, right and version that this process needs. Exit code 0 when nothing is missing. */
export async function doctor({
  environment,
  configPath,
  signal,
  print,
  process = 'run',
}: CliOptions & { readonly process?: ProcessName }): Promise<number> {
  const read = await readConfigFile(configPath);
  if (!read.ok) {
    for (const error of read.errors) print(`✗ ${formatConfigError(configPath, error)}`);
    return 1;
  }
  print(`✓ configuration: ${configPath}`);
  const found = await examine(environment, read.config, process, signal);
  for (const one of found) print(formatFound(one));
  print(summaryOf(found));
  return found.some(({ state }) => state === 'missing') ? 1 : 0;
}
