import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { CLI_PAGE, cliPage } from '../../playground/pages/cli.ts';
import { parseConfig } from '../../src/domain/config/parse.ts';
import { pathOf, textOf, yamlOf } from './files.ts';

describe('docs/examples', () => {
  const text = textOf('docs/examples/meshops.yaml');

  it('is a configuration that meshops accepts', () => {
    const parsed = parseConfig(parse(text));
    if (!parsed.ok) throw new Error(JSON.stringify(parsed.problems));
    const { clusters, channels, gates } = parsed.config;
    expect(Object.keys(clusters)).toEqual(['prod-eu', 'prod-us', 'staging']);
    const teams = ['shop', 'search', 'payments', 'platform'];
    expect(channels.flatMap(({ namespace }) => namespace ?? [])).toEqual(teams);
    for (const team of teams) expect(gates.some(({ namespaces }) => namespaces?.includes(team))).toBe(true);
    expect(gates.flatMap((gate) => gate.clusters ?? [])).not.toContain('staging');
  });

  it('binds each group that its values name to somebody, and each cluster to its secrets', () => {
    const values = yamlOf('docs/examples/values.yaml') as {
      readonly namespaces: Readonly<Record<string, { readonly operators: readonly string[] }>>;
      readonly clusterSecrets: Readonly<Record<string, unknown>>;
    };
    for (const { operators } of Object.values(values.namespaces)) for (const group of operators) expect(text).toContain(`"${group}"`);
    expect(Object.keys(values.clusterSecrets)).toEqual(['prod-eu', 'prod-us', 'staging']);
  });
});

describe(CLI_PAGE, () => {
  it('is what the commands say (else: npm run pages)', () => {
    expect(readFileSync(pathOf(CLI_PAGE), 'utf8')).toBe(cliPage());
  });
});

describe('docs/troubleshooting.md', () => {
  const sources = ['src', 'activities', 'workflows', 'playground', 'test/image']
    .flatMap((folder) => readdirSync(pathOf(folder), { recursive: true, encoding: 'utf8' }).map((name) => `${folder}/${name}`))
    .filter((name) => name.endsWith('.ts'))
    .map(textOf)
    .join('\n');
  const quoted = [...textOf('docs/troubleshooting.md').matchAll(/^\| ([^|]*) \|/gm)].flatMap(([, cell = '']) =>
    [...cell.matchAll(/"([^"]+)"/g)].map(([, words = '']) => words),
  );

  it.each(quoted)('quotes what meshops says: %s', (words) => {
    expect(sources.includes(words)).toBe(true);
  });
});
