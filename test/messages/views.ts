// Views of operations in every phase, as a workflow would show them.

import type { Harmful, Verdict } from '../../src/domain/judge/verdict.ts';
import type { Gate } from '../../src/domain/lifecycle/gate.ts';
import type { OperationView, OutcomeKind, Phase, StageView } from '../../src/domain/lifecycle/operation.ts';

export const AT = Date.UTC(2026, 10, 23, 13, 0, 0);

export const COUNTS = { canary: { requests: 1204, failures: 1 }, stable: { requests: 10_842, failures: 3 } };

export const HARMFUL: Harmful = {
  kind: 'harmful',
  judge: 'objective',
  counts: { canary: { requests: 88, failures: 17 }, stable: COUNTS.stable },
  firstHarmAt: AT + 60_000,
  decidedAt: AT + 61_200,
  logEvidence: 7.4,
  logThreshold: 6.9,
  words: '17 of 88 requests to backend-canary failed (19.32%), where 1% is allowed.',
};

export const BLIND: Verdict = {
  kind: 'blind',
  counts: COUNTS,
  reason: 'lost',
  words: 'Node node-2 lost 40 events, so the picture is incomplete.',
};

export function stages(...states: StageView['state'][]): StageView[] {
  return states.map((state, index) => ({
    number: index + 1,
    label: ['1%', '5%', '10%', '25%'][index] ?? `${index}%`,
    exposure: [0.01, 0.05, 0.1, 0.25][index] ?? 0.3,
    state,
    ...(state === 'pending' ? {} : { startedAt: AT + index * 60_000 }),
    ...(state === 'passed' || state === 'undone' ? { endedAt: AT + index * 60_000 + 55_000, counts: COUNTS } : {}),
  }));
}

export function gate(change: Partial<Gate> = {}): Gate {
  return {
    gateId: 'g1',
    kind: 'approval',
    stage: 1,
    planHash: 'a'.repeat(64),
    approvers: [
      { id: 'reviewer@example.com', name: 'Reviewer', slackId: 'U0REVIEWER' },
      { id: 'reviewer2@example.com', name: 'Second reviewer' },
    ],
    quorum: 2,
    openedAt: AT,
    expiresAt: AT + 30 * 60_000,
    approvals: [],
    ...change,
  };
}

export function view(phase: Phase, change: Partial<OperationView> = {}): OperationView {
  return {
    opId: 'op-brisk-otter-42',
    workflowId: 'mesh/demo/backend/backend',
    runId: '0199c0de-0000-7000-8000-000000000001',
    verb: 'canary',
    target: { cluster: 'demo', namespace: 'backend', name: 'backend' },
    text: '/mesh canary backend 10%',
    reason: 'release 2.0',
    requester: { id: 'operator@example.com', name: 'Operator', slack: { teamId: 'T0MESHOPS', userId: 'U0OPERATOR' } },
    phase,
    startedAt: AT,
    from: 'backend 100%, backend-canary 0%',
    to: 'backend 90%, backend-canary 10%',
    explanation: ['backend-canary gains 10% of the requests to backend through Gateway mesh; backend loses them.'],
    watched: ['requests answered by backend-canary', 'ready endpoints of backend-canary'],
    planHash: 'a'.repeat(64),
    stages: stages('pending', 'pending', 'pending'),
    ...change,
  };
}

/** One view for every phase and every outcome. */
export function everyView(): readonly { readonly name: string; readonly view: OperationView }[] {
  const live = { counts: COUNTS, canaryShare: 0.0998, at: AT + 90_000 };
  const watching = { stages: stages('passed', 'watching', 'pending'), watchUntil: AT + 120_000, live };
  const kinds: OutcomeKind[] = [
    'completed',
    'rolled-back',
    'rejected',
    'aborted',
    'expired',
    'impossible',
    'failed',
    'superseded',
    'drifted',
    'abandoned',
  ];
  return [
    { name: 'planning', view: view('planning', { stages: [], explanation: [], watched: [] }) },
    { name: 'waiting', view: view('waiting', { gate: gate() }) },
    { name: 'waiting, nobody may decide', view: view('waiting', { gate: gate({ approvers: [] }) }) },
    { name: 'applying', view: view('applying', { stages: stages('applying', 'pending') }) },
    { name: 'watching', view: view('watching', watching) },
    {
      name: 'holding',
      view: view('holding', { stages: stages('passed', 'held', 'pending'), verdict: BLIND, gate: gate({ kind: 'hold', stage: 2 }) }),
    },
    { name: 'afterwatch', view: view('afterwatch', { ...watching, stages: stages('passed', 'passed', 'passed') }) },
    { name: 'restoring', view: view('restoring', { stages: stages('passed', 'harmful', 'skipped'), verdict: HARMFUL }) },
    {
      name: 'undo failing',
      view: view('restoring', {
        stages: stages('passed', 'harmful', 'skipped'),
        undoFailing: {
          since: AT,
          reason: 'connection refused',
          commands: ['kubectl -n backend patch httproute backend --type=json -p \'[{"op":"test"}]\''],
        },
      }),
    },
    ...kinds.map((kind) => ({
      name: `over, ${kind}`,
      view: view('over', {
        stages: kind === 'completed' ? stages('passed', 'passed', 'passed') : stages('undone', 'harmful', 'skipped'),
        outcome: {
          kind,
          code: 'Code',
          words: `It ended as ${kind}.`,
          by: { id: 'reviewer@example.com', name: 'Reviewer', slackId: 'U0REVIEWER' },
          ...(kind === 'rolled-back' ? { restoredExactly: true, verdict: HARMFUL } : {}),
        },
      }),
    })),
  ];
}
