import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Env } from '../cluster/cache.ts';
import { missingPaths, USED } from './crds.ts';
import { compareProtos } from './protos.ts';
import { CILIUM_LINES, ciliumSources } from './sources.ts';

export const PAGE = 'docs/compatibility.md';
const BEGIN = '<!-- written by npm run compatibility -->';
const END = '<!-- end -->';
const OURS = fileURLToPath(new URL('../../src/clients/hubble/proto', import.meta.url));

const listed = (names: readonly string[]): string => (names.length === 0 ? 'all there' : names.map((name) => `\`${name}\``).join(', '));

/** The table of what each line of Cilium has of what meshops reads and writes. */
export async function ciliumTable(env: Env, signal: AbortSignal): Promise<string> {
  const rows: string[] = [];
  for (const version of CILIUM_LINES) {
    const folder = await ciliumSources(version, env, signal);
    const [protos, paths] = [await compareProtos(OURS, join(folder, 'protos')), await missingPaths(join(folder, 'crds'))];
    const changed = protos.changed.length === 0 ? 'none' : listed(protos.changed);
    rows.push(`| ${version} | ${listed(protos.missing)} | ${changed} | ${listed(paths)} |`);
  }
  const paths = Object.values(USED).flat().length;
  return [
    `| Cilium | what Hubble does not tell there | what would be misread | what is missing in the CRDs (of ${paths} paths) |`,
    '|---|---|---|---|',
    ...rows,
  ].join('\n');
}

/** The page with the table in its place. */
export function withTable(page: string, table: string): string {
  const [before, rest = ''] = page.split(BEGIN);
  const after = rest.split(END)[1];
  if (before === undefined || after === undefined) throw new Error(`${PAGE} has no place for the table.`);
  return `${before}${BEGIN}\n\n${table}\n\n${END}${after}`;
}
