import { formatConfigError, readConfigFile } from '../config/read.ts';

/** Explains each mistake with its line. Exit code 0 when there is none. */
export async function configCheck(file: string, print: (line: string) => void): Promise<number> {
  const read = await readConfigFile(file);
  if (!read.ok) {
    for (const error of read.errors) print(formatConfigError(file, error));
    print(`✗ ${read.errors.length} mistake${read.errors.length === 1 ? '' : 's'} in ${file}`);
    return 1;
  }
  const { clusters, channels, gates } = read.config;
  print(`✓ ${file}: ${Object.keys(clusters).length} cluster(s), ${channels.length} channel(s), ${gates.length} gate rule(s)`);
  if (gates.length === 0) print('! No gate rules: nothing waits for an approval.');
  return 0;
}
