import { expect, test } from 'vitest';
import { createTelemetry } from '../../src/telemetry.ts';

test('the metrics of both threads are one page: each name once, counts added, the process counted once', async () => {
  const workers = createTelemetry({ level: 'silent', component: 'run' });
  const bot = createTelemetry({ level: 'silent', component: 'run', process: false });
  workers.activities('demo').verdict('healthy');
  workers.refused('Guest');
  bot.refused('Guest');
  bot.acked('click', 20);
  const page = await bot.metrics(structuredClone(await workers.snapshot()));
  const names = [...page.matchAll(/^# TYPE (\S+)/gm)].map(([, name]) => name);
  expect(new Set(names).size).toBe(names.length);
  expect(page).toContain('meshops_refused_requests_total{code="Guest"} 2');
  expect(page).toContain('meshops_verdicts_total{cluster="demo",kind="healthy"} 1');
  expect(page).toContain('meshops_ack_seconds_count{what="click"} 1');
  expect(names).toContain('meshops_process_cpu_seconds_total');
});
