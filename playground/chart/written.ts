import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { VERSIONS } from '../cluster/versions.ts';
import { CHART, examples, renderChart } from './render.ts';
import { valuesSchema } from './values-schema.ts';

/**
 * Files of the repository that are made out of others: the chart is the one truth of what is installed, and `manifests/base` is a rendering of it, for
 * those who use kustomize or plain files. `src/domain/config/schema.ts` is the one truth of meshops.yaml, and the chart's schema contains it.
 */
export const WRITTEN = {
  schema: 'charts/meshops/values.schema.json',
  alerts: 'manifests/monitoring/alerts.yaml',
  base: 'manifests/base',
} as const;

const HEADER = `# Written by \`npm run chart\` out of charts/meshops, with the values of charts/meshops/examples/base.yaml: edit there.\n`;
const SOURCE = /^# Source: meshops\/templates\/(.+)\n/;

/** Documents of a rendering by the template they come from, in helm's order. */
export function filesOf(rendered: string): ReadonlyMap<string, string> {
  const files = new Map<string, string>();
  for (const document of rendered.split(/^---\n/m)) {
    const name = SOURCE.exec(document)?.[1];
    if (name === undefined) continue;
    const text = `${document.replace(SOURCE, '').trimEnd()}\n`;
    const before = files.get(name);
    files.set(name, before === undefined ? HEADER + text : `${before}---\n${text}`);
  }
  return files;
}

/** The schema of the values, as text. */
export function schemaText(): string {
  return `${JSON.stringify(valuesSchema(), null, 2)}\n`;
}

/** Every written file with its content, by path in the repository, but for those that need helm. */
export async function writtenWithoutHelm(): Promise<ReadonlyMap<string, string>> {
  const alerts = await readFile(join(CHART, 'files/alerts.yaml'), 'utf8');
  return new Map([
    [WRITTEN.schema, schemaText()],
    [WRITTEN.alerts, alerts],
  ]);
}

/** The kustomize base. */
export async function writtenWithHelm(helm: string): Promise<ReadonlyMap<string, string>> {
  const values = (await examples()).get('base') ?? '';
  const rendered = await renderChart({ helm, values: [values], kubeVersion: VERSIONS.kubernetes });
  return new Map([...filesOf(rendered)].map(([name, text]) => [`${WRITTEN.base}/${name}`, text]));
}
