import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import * as z from 'zod';
import { CHART, examples } from '../../playground/chart/render.ts';
import { writtenWithoutHelm } from '../../playground/chart/written.ts';
import { createTelemetry } from '../../src/telemetry.ts';
import { textOf, yamlOf } from '../manifests/files.ts';

describe('the chart', () => {
  it('has a schema and alert rules that are current (else: npm run chart)', async () => {
    for (const [path, text] of await writtenWithoutHelm()) expect(textOf(path), path).toBe(text);
  });

  it('has one version, which is that of the package', () => {
    const { version } = z.object({ version: z.string() }).parse(JSON.parse(textOf('package.json')));
    expect(yamlOf('charts/meshops/Chart.yaml')).toMatchObject({ version, appVersion: version });
  });

  it('has six examples at least, and none of them a secret', async () => {
    const files = await examples();
    expect(files.size).toBeGreaterThanOrEqual(6);
    for (const file of files.values()) expect(readFileSync(file, 'utf8')).not.toMatch(/xox[abp]-|xapp-|:\/\/[^\s/]*:[^\s/]*@/);
  });
});

describe('the dashboard', () => {
  const Dashboard = z.object({
    panels: z.array(
      z.object({
        title: z.string(),
        description: z.string().min(1),
        gridPos: z.object({ x: z.int(), y: z.int(), w: z.int(), h: z.int() }),
        targets: z.array(z.object({ expr: z.string() })),
      }),
    ),
  });
  const { panels } = Dashboard.parse(JSON.parse(readFileSync(`${CHART}/dashboards/meshops.json`, 'utf8')));

  it('asks only for metrics that meshops has', async () => {
    const has = await createTelemetry({ level: 'silent', component: 'test' }).metrics();
    const asked = new Set(panels.flatMap(({ targets }) => targets.flatMap(({ expr }) => expr.match(/meshops_[a-z_]+/g) ?? [])));
    expect(asked.size).toBeGreaterThan(12);
    for (const name of asked) expect(has).toContain(`# TYPE ${name.replace(/_bucket$/, '')} `);
  });

  it('has panels that do not lie on each other', () => {
    const cells = panels.flatMap(({ title, gridPos: { x, y, w, h } }) =>
      Array.from({ length: w * h }, (_, index) => ({ title, cell: `${x + (index % w)},${y + Math.floor(index / w)}` })),
    );
    expect(new Set(cells.map(({ cell }) => cell)).size).toBe(cells.length);
  });
});
