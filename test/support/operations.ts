import type { JsonObject } from '../../src/domain/json.ts';
import type { Counts, Harmful, Verdict } from '../../src/domain/judge/verdict.ts';
import type { Actor } from '../../src/domain/lifecycle/actor.ts';
import type { ApplyInput, AttendInput, PlanInput, RestoreInput, WatchInput } from '../../src/domain/lifecycle/contract.ts';
import type { Decision, GateRule } from '../../src/domain/lifecycle/gate.ts';
import type { OperationRequest, OperationView } from '../../src/domain/lifecycle/operation.ts';
import { objectKey, type Plan, type PlannedStage, tokenOf } from '../../src/domain/lifecycle/plan.ts';
import type { OperationSettings } from '../../src/domain/lifecycle/settings.ts';
import type { FakeActivity, Reply, Simulator } from './simulator.ts';

/** Builders for operations in tests, and a mesh of one route that the fake steps really change. */
export const operator: Actor = {
  id: 'operator@example.com',
  name: 'Operator',
  slack: { teamId: 'T0MESHOPS', userId: 'U0OPERATOR' },
  kubernetes: { user: 'operator@example.com', groups: ['mesh-operators'] },
};
export const reviewer: Actor = { id: 'reviewer@example.com', name: 'Reviewer', slack: { teamId: 'T0MESHOPS', userId: 'U0REVIEWER' } };
export const reviewer2: Actor = { id: 'reviewer2@example.com', name: 'Second reviewer' };

const GATE: GateRule = { above: 0, approvers: { usergroups: ['S0REVIEWERS'], emails: [] }, quorum: 1, expiryMs: 600_000 };

export function settings(change: Partial<OperationSettings> = {}): OperationSettings {
  return {
    ladder: [1, 5, 10, 25, 50, 100],
    soakMs: 60_000,
    afterwatchMs: 300_000,
    holdMs: 600_000,
    objective: 0.01,
    latencyLimitMs: 1_000,
    alpha: 0.001,
    minRequests: 50,
    realiseMs: 10_000,
    watchHeartbeatMs: 5_000,
    editEveryMs: 3_000,
    gates: [GATE],
    ...change,
  };
}

export function request(change: Partial<OperationRequest> = {}): OperationRequest {
  const now = Date.UTC(2026, 0, 1);
  return {
    requestId: 'trigger-1',
    verb: 'canary',
    target: { cluster: 'demo', namespace: 'backend', name: 'backend' },
    change: { kind: 'shift', percent: 10 },
    text: 'canary backend 10%',
    requester: operator,
    channel: { teamId: 'T0MESHOPS', channelId: 'C0MESH' },
    requestedAt: now,
    validUntil: now + 60_000,
    settings: settings(),
    ...change,
  };
}

const ROUTE = { apiVersion: 'gateway.networking.k8s.io/v1', kind: 'HTTPRoute', namespace: 'backend', name: 'backend' } as const;
function fields(percent: number) {
  return {
    '/spec/rules/0/backendRefs/0/weight': 100 - percent,
    '/spec/rules/0/backendRefs/1/weight': percent,
  };
}
export function counts(requests: number, failures: number): Counts {
  return {
    canary: { requests, failures },
    stable: { requests: requests * 9, failures: 0 },
  };
}

export const healthy: Verdict = { kind: 'healthy', counts: counts(600, 0), words: '600 requests, no failures.' };
export const harmful: Harmful = {
  kind: 'harmful',
  judge: 'objective',
  counts: counts(20, 9),
  firstHarmAt: 0,
  decidedAt: 0,
  logEvidence: 9,
  logThreshold: 8,
  words: '9 of 20 canary requests failed.',
};
export const blind: Verdict = { kind: 'blind', counts: counts(5, 0), reason: 'node-1 lost events', words: 'node-1 lost 40 events.' };

/** One route whose weight the fake steps read and write, with the token as the real one has it. */
export class FakeMesh {
  percent = 0;
  token: string | null = null;
  generation = 5;
  readonly applied: string[] = [];

  plan(input: PlanInput, percents: readonly number[]): Plan {
    const { firstStage, request: asked, originals } = input;
    const stages = percents.map((percent, index): PlannedStage => {
      const before = fields(index === 0 ? this.percent : (percents[index - 1] ?? 0));
      const write = { object: ROUTE, uid: 'uid-1', generation: this.generation, before, after: fields(percent) };
      return { number: firstStage + index, label: `${percent}%`, exposure: percent / 100, writes: [write] };
    });
    const original = { object: ROUTE, uid: 'uid-1', fields: fields(this.percent), token: this.token, digest: 'd' };
    return {
      verb: 'canary',
      target: asked.target,
      from: `backend ${100 - this.percent}%`,
      to: `backend-canary ${percents.at(-1)}%`,
      explanation: [],
      watched: [],
      stages,
      originals: originals ?? [original],
      details: {},
      planHash: `hash-of-${this.percent}-${percents.join('-')}-${this.generation}`.padEnd(64, '0'),
    };
  }

  apply({ opId, stage, tokenBefore }: ApplyInput): Reply {
    const [write] = stage.writes;
    if (this.token !== tokenOf(opId, stage.number) && this.token !== tokenBefore[objectKey(ROUTE)]) {
      return { value: { kind: 'held', object: ROUTE, token: this.token } };
    }
    this.token = tokenOf(opId, stage.number);
    // Stage 0 is the claim: the token alone.
    if (stage.number > 0) {
      this.percent = Number(write?.after['/spec/rules/0/backendRefs/1/weight']);
      this.generation += 1;
      this.applied.push(stage.label);
    }
    return { value: { kind: 'applied', generations: { [objectKey(ROUTE)]: this.generation }, mixedMs: 0, at: 0 } };
  }

  restore({ opId, originals }: RestoreInput): Reply {
    const [original] = originals;
    if (this.token !== null && !this.token.startsWith(`${opId}/`)) {
      return { value: { kind: 'superseded', object: ROUTE, token: this.token, at: 0 } };
    }
    this.percent = Number(original?.fields['/spec/rules/0/backendRefs/1/weight'] ?? 0);
    this.token = original?.token ?? null;
    return { value: { kind: 'restored', objects: [{ object: ROUTE, state: 'restored' }], exact: true, at: 0 } };
  }
}

export type Watching = (input: WatchInput, call: number) => Reply;

/** The activities of one fake mesh. `verdictOf` decides each watch; a harmful one fires the fuse as the real watch does. */
export function fakes(
  mesh: FakeMesh,
  percents: readonly number[] | ((input: PlanInput) => readonly number[]),
  watching: Watching,
  options: { readonly applying?: (input: WatchInput) => Reply } = {},
): Record<string, FakeActivity> {
  let writes = 0;
  const define = <T>(fake: (input: T, context: { now: number; call: number }) => Reply): FakeActivity => fake as FakeActivity;
  return {
    'canary.plan': define<PlanInput>((input) => ({
      value: { kind: 'plan', plan: mesh.plan(input, typeof percents === 'function' ? percents(input) : percents) },
    })),
    'canary.apply': define<ApplyInput>((input) => mesh.apply(input)),
    'canary.realised': () => ({ value: { kind: 'realised', afterMs: 3 } }),
    'canary.watch': define<WatchInput>((input, { call }) => {
      // A test that counts watches means those of stages and after them; what guards a write is quiet unless the test says otherwise.
      if (!input.applying) return watching(input, call - writes);
      writes += 1;
      return options.applying?.(input) ?? quietGuard(input);
    }),
    'canary.restore': define<RestoreInput>((input) => mesh.restore(input)),
    'canary.unready': () => ({ value: {} }),
    frozen: () => ({ value: null }),
    attend: () => ({ never: true }),
    inspect: () => ({ value: { differences: [], found: {} } }),
    resolveApprovers: () => ({ value: [reviewer, reviewer2].map(({ id, name }) => ({ id, name })) }),
    announce: () => ({ value: { channelId: 'C0MESH', ts: '1.1' } }),
    say: () => ({ value: undefined }),
    chart: () => ({ value: undefined }),
    retire: () => ({ value: undefined }),
    record: () => ({ value: undefined }),
  };
}

/** What looks after an open question: it ends when a freeze was set or lifted. Wake it when that may have happened. */
export function attending(freeze: () => object | null): FakeActivity {
  return ((input: AttendInput): Reply => {
    const now = freeze();
    return (now === null) === (input.freeze === null) ? { never: true } : { value: { freeze: now, approvers: input.approvers } };
  }) as FakeActivity;
}

/** A guard that sees nothing wrong, until it is relieved. */
export function quietGuard(input: WatchInput): Reply {
  const { value } = watched(new FakeMesh(), { ...input, guardMs: undefined } as never, healthy) as { value: object };
  return { never: true, whenCancelled: { ...value, relieved: true, judged: true } };
}

/**
 * A watch that ends with the verdict: healthy at its end, anything else after a second; harmful fires the fuse. A guard ends with harm and
 * drift alone.
 */
export function watched(mesh: FakeMesh, input: WatchInput, verdict: Verdict): Reply {
  if (input.guardMs !== undefined && verdict.kind !== 'harmful' && verdict.kind !== 'drift') return quietGuard(input);
  const fuse = verdict.kind === 'harmful' ? { result: mesh.restore(input.fuse), startedAt: 0, endedAt: 1 } : undefined;
  const result = fuse && { ...fuse, result: (fuse.result as { value: unknown }).value };
  const value = {
    verdict,
    counts: verdict.counts,
    series: [],
    startedAt: 0,
    endedAt: 0,
    ...carriedBy(input),
    ...(result && { fuse: result }),
  };
  const afterMs = verdict.kind === 'healthy' ? input.durationMs : 1_000;
  // A fuse that has fired is told although the watch is cancelled.
  return fuse ? { value, afterMs, whenCancelled: value } : { value, afterMs };
}

/** What a canary's watch leaves for the next: here only which it was. */
function carriedBy({ evidence }: WatchInput): { readonly carried?: JsonObject } {
  return evidence ? { carried: { version: 2, watch: evidence.watch } } : {};
}

/** The decision of one person on the gate that the view shows. */
export async function decisionOn(
  simulator: Simulator,
  actor: Actor,
  choice: Decision['choice'],
  change: Partial<Decision> = {},
): Promise<Decision> {
  const view = (await simulator.query('describe')) as OperationView;
  const { opId, runId, gate } = view;
  return { opId, runId, gateId: gate?.gateId ?? 'none', planHash: gate?.planHash.slice(0, 16) ?? 'none-0000000', choice, actor, ...change };
}
