import { DatabaseSync } from 'node:sqlite';
import type { Json } from '../../src/domain/json.ts';
import type { OperationView, Outcome } from '../../src/domain/lifecycle/operation.ts';
import type { TrueWeights } from '../cilium/truth.ts';
import { differences, type MeshState, meshState } from './mesh-state.ts';
import type { Operation } from './operation.ts';
import type { Played } from './scenario.ts';
import type { Scene } from './scene.ts';

/** What is measured of a story. Times are milliseconds from its start; counts and `firstHarmAt` are the proxy's, no judge's. */
export interface Report {
  readonly scenario: string;
  readonly seed: number;
  readonly ok: boolean;
  readonly broken?: string;
  readonly outcome?: string;
  readonly code?: string;
  readonly stages: readonly string[];
  readonly brokenAt?: number;
  readonly firstHarmAt?: number;
  readonly decidedAt?: number;
  /** The API server had the old weights again. */
  readonly restoredAt?: number;
  /** Envoy had them in force. */
  readonly inForceAt?: number;
  readonly exposedRequests: number;
  readonly harmedRequests: number;
  readonly restoredExactly?: boolean;
  /** Objects that are not as they were before the story. */
  readonly changed?: readonly string[];
  readonly approvals: number;
  /** Root messages beyond one for each operation, and posts that came twice. */
  readonly duplicates: number;
  readonly operations: number;
  readonly slackCalls: number;
  readonly temporalEvents: number;
  readonly ms: number;
  readonly [extra: string]: Json | undefined;
}

export interface Before {
  readonly mesh: MeshState;
  readonly slackCalls: number;
  readonly posts: number;
  /** `namespace/name` of the Service whose requests are counted. */
  readonly canary: string;
}

export async function lookBefore(scene: Scene, canary: string): Promise<Before> {
  const { log } = scene.rig.slack;
  return { mesh: await meshState(scene), slackCalls: log.slackCalls(), posts: log.duplicatePosts().length, canary };
}

/** Measures a story that has been played, or has broken. */
export async function measure(
  name: string,
  seed: number,
  scene: Scene,
  before: Before,
  played: Played | undefined,
  broken: string | undefined,
): Promise<Report> {
  const { operation, extra = {} } = played ?? {};
  const told = operation && (await readOperation(operation));
  const roots = scene.newRoots();
  const changed = differences(before.mesh, await meshState(scene));
  const operations = new Set(roots.map((message) => JSON.stringify(message.metadata))).size;
  return {
    // First, so that no story can put another figure in the place of a measured one.
    ...extra,
    scenario: name,
    seed,
    ok: broken === undefined,
    ...(broken !== undefined && { broken }),
    ...(told && { outcome: told.outcome.kind, code: told.outcome.code }),
    stages: told?.view.stages.map((stage) => `${stage.label} ${stage.state}`) ?? [],
    ...harmTimes(scene, before.canary, told?.outcome),
    ...requestCounts(scene, before.canary),
    restoredExactly: changed.length === 0,
    ...(changed.length > 0 && { changed }),
    approvals: operation ? approvalsOf(scene.rig.database, operation.opId) : 0,
    duplicates: roots.length - operations + scene.rig.slack.log.duplicatePosts().length - before.posts,
    operations,
    slackCalls: scene.rig.slack.log.slackCalls() - before.slackCalls,
    temporalEvents: told?.events ?? 0,
    ms: Date.now() - scene.began,
  };
}

async function readOperation(operation: Operation): Promise<{ outcome: Outcome; view: OperationView; events: number }> {
  const [outcome, view, history] = [await operation.result(), await operation.view(), await operation.handle.fetchHistory()];
  return { outcome, view, events: history.events?.length ?? 0 };
}

function harmTimes(scene: Scene, canary: string, outcome: Outcome | undefined): Partial<Report> {
  const { truth } = scene.rig.cilium;
  if (scene.brokenAt === undefined) return {};
  const firstHarm = truth.firstHarm(scene.brokenAt, canary);
  const restored = firstHarm === undefined ? undefined : restoredSince(truth.weights, firstHarm, canary);
  const verdict = outcome?.verdict;
  return {
    brokenAt: scene.brokenAt - scene.began,
    ...(firstHarm !== undefined && { firstHarmAt: Math.round(firstHarm - scene.began) }),
    ...(verdict?.kind === 'harmful' && { decidedAt: Math.round(verdict.decidedAt - scene.began) }),
    ...(restored && { restoredAt: Math.round(restored.seenAt - scene.began) }),
    ...(restored?.inForceAt !== undefined && { inForceAt: Math.round(restored.inForceAt - scene.began) }),
  };
}

/** The first change after `since` that took the canary's weight away. */
function restoredSince(weights: readonly TrueWeights[], since: number, canary: string): TrueWeights | undefined {
  return weights.find(
    (entry) =>
      entry.seenAt >= since && entry.weights.some((rule) => canary in rule) && entry.weights.every((rule) => (rule[canary] ?? 0) === 0),
  );
}

function requestCounts(scene: Scene, canary: string): { exposedRequests: number; harmedRequests: number } {
  const { truth } = scene.rig.cilium;
  const all = truth.counts(scene.began, Number.POSITIVE_INFINITY, canary);
  const harmed = scene.brokenAt === undefined ? all : truth.counts(scene.brokenAt, Number.POSITIVE_INFINITY, canary);
  return { exposedRequests: all.total, harmedRequests: harmed.failed };
}

function approvalsOf(database: string, opId: string): number {
  const db = new DatabaseSync(database, { readOnly: true });
  try {
    const rows = db.prepare("select body from audit where op_id = ? and kind = 'decision'").all(opId);
    return rows.filter((row) => (JSON.parse(String(row['body'])) as { data: { choice?: string } }).data.choice === 'approve').length;
  } finally {
    db.close();
  }
}
