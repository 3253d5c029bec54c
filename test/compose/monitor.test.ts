import { expect, test } from 'vitest';
import { look, type MonitorDeps } from '../../src/compose/monitor.ts';
import type { OperationView } from '../../src/domain/lifecycle/operation.ts';
import { SILENT } from '../../src/log.ts';
import { createTelemetry, type OperationsSeen } from '../../src/telemetry.ts';
import type { Described } from '../../src/temporal/results.ts';
import { viewOf, WORKFLOW } from '../slack/stage.ts';

function looking(answer: () => Described): { readonly look: () => Promise<OperationsSeen | undefined> } {
  const last = new Map<string, OperationView>();
  let seen: OperationsSeen | undefined;
  const deps: MonitorDeps = {
    operations: { listRunning: async () => [{ workflowId: WORKFLOW, runId: 'run-1' }], describe: async () => answer() },
    lost: async () => [],
    clusters: () => ['demo'],
    seen: (_cluster, operations) => (seen = operations),
    now: () => 100_000,
    log: SILENT,
  };
  return {
    look: async () => {
      await look(deps, last);
      return seen;
    },
  };
}

test('an operation in force for which no worker answers is unwatched', async () => {
  let answer: Described = { kind: 'view', view: viewOf() };
  const one = looking(() => answer);
  expect(await one.look()).toMatchObject({ byPhase: { watching: 1 }, unwatched: 0 });
  answer = { kind: 'silent' };
  expect(await one.look()).toMatchObject({ unwatched: 1 });
});

test('one that has changed nothing yet is not', async () => {
  let answer: Described = { kind: 'view', view: viewOf({ phase: 'waiting', stages: [] }) };
  const one = looking(() => answer);
  await one.look();
  answer = { kind: 'silent' };
  expect(await one.look()).toMatchObject({ unwatched: 0, byPhase: { waiting: 1 } });
});

test('one that nobody knows anything of counts as unwatched', async () => {
  expect(await looking(() => ({ kind: 'silent' })).look()).toMatchObject({ unwatched: 1 });
});

test('every metric that the alert rules name is there', async () => {
  const telemetry = createTelemetry({ level: 'silent', component: 'test' });
  telemetry.seen('demo', { byPhase: {}, unwatched: 2, undoFailing: 1, gateAgeMs: 5_000 });
  telemetry.activities('demo').evidenceLag(2_500);
  telemetry.auditFailed();
  const text = await telemetry.metrics();
  for (const line of [
    'meshops_unwatched_operations{cluster="demo"} 2',
    'meshops_undo_failing{cluster="demo"} 1',
    'meshops_gate_age_seconds{cluster="demo"} 5',
    'meshops_evidence_lag_seconds{cluster="demo"} 2.5',
    'meshops_audit_write_failures_total 1',
  ])
    expect(text).toContain(line);
});

test('all running operations are looked at, not only the newest', async () => {
  const running = Array.from({ length: 700 }, (_, index) => ({ workflowId: WORKFLOW, runId: `run-${index}` }));
  let seen: OperationsSeen | undefined;
  const deps: MonitorDeps = {
    operations: { listRunning: async (most = 200) => running.slice(0, most), describe: async () => ({ kind: 'view', view: viewOf() }) },
    lost: async () => [],
    clusters: () => ['demo'],
    seen: (_cluster, operations) => (seen = operations),
    now: () => 100_000,
    log: SILENT,
  };
  await look(deps, new Map());
  expect(seen?.byPhase).toEqual({ watching: 700 });
});
