// Every verb in every phase and with every outcome, in its own words: what the checks of the messages run over.

import { CHANGED, type Harmful, REST, type Verdict } from '../../src/domain/judge/verdict.ts';
import type { VerbName } from '../../src/domain/lifecycle/change.ts';
import type { Gate } from '../../src/domain/lifecycle/gate.ts';
import type { OperationView, Outcome, OutcomeKind, StageState, StageView } from '../../src/domain/lifecycle/operation.ts';
import { EVERYWHERE } from '../../src/domain/target.ts';
import { VERB_NAMES } from '../../src/domain/verb.ts';
import { AT, gate, view } from './views.ts';

interface Own {
  readonly labels: readonly string[];
  readonly target: OperationView['target'];
  readonly text: string;
  readonly from: string;
  readonly to: string;
  readonly explanation: readonly string[];
  readonly watched: readonly string[];
  readonly harm: string;
  readonly blind: string;
  readonly object: string;
  readonly manager: string;
}

const OWN: Readonly<Record<VerbName, Own>> = {
  canary: {
    labels: ['1%', '5%', '10%'],
    target: { cluster: 'demo', namespace: 'backend', name: 'backend' },
    text: '/mesh canary backend 10%',
    from: 'backend 100%, backend-canary 0%',
    to: 'backend 90%, backend-canary 10%',
    explanation: ['backend loses 10 points (100% to 90%), backend-canary gains 10 points (0% to 10%).'],
    watched: ['requests answered by backend-canary', 'ready endpoints of backend-canary'],
    harm: 'Canary: 17 of 88 requests failed (19%); elsewhere 0 of 529 requests failed. That is more than the 1% allowed (evidence 54,000 to 1, needed 4,100 to 1).',
    blind: 'Node node-2 lost 40 events, so failures there would be missed.',
    object: 'HTTPRoute/backend/backend',
    manager: 'kubectl-patch',
  },
  policy: {
    labels: ['observe', 'ingress, 1 of 4 pods', 'ingress, 4 of 4 pods'],
    target: { cluster: 'demo', namespace: 'frontend', name: 'frontend' },
    text: '/policy enforce frontend',
    from: 'no policy frontend',
    to: 'policy frontend for 4 pods of frontend',
    explanation: ['The policy comes from ConfigMap frontend/cand.', 'Would drop none of 1,164 connections seen in the last 10 min.'],
    watched: ['connections of the pods under the policy'],
    harm: 'It drops external/external → port 8080/TCP (1 of 6 connections), which was allowed before.',
    blind: 'Node node-2 lost 40 events, so drops there would be missed.',
    object: 'CiliumNetworkPolicy/frontend/frontend',
    manager: 'kubectl-patch',
  },
  encryption: {
    labels: ['1 of 3 nodes', '2 of 3 nodes', '3 of 3 nodes'],
    target: { cluster: 'demo', ...EVERYWHERE },
    text: '/encryption on wireguard',
    from: 'WireGuard off on 3 nodes',
    to: 'WireGuard on 3 of 3 nodes',
    explanation: ['Each agent restarts once, one at a time.'],
    watched: ['attempts to and from changed nodes'],
    harm: 'node-3 → node-7 fails for payloads of 1,400 bytes (12 of 12 attempts); 800 bytes pass.',
    blind: 'Node node-2 lost 40 events, so failures there would be missed.',
    object: 'CiliumNodeConfig/kube-system/meshops',
    manager: 'kubectl-patch',
  },
};

const COUNTS = { [CHANGED]: { requests: 137, failures: 0 }, [REST]: { requests: 1104, failures: 0 } };
const REASON = 'release 2.0 with the new cache';
const KINDS: readonly OutcomeKind[] = [
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

export interface Shown {
  readonly name: string;
  readonly view: OperationView;
}

function ownOf(verb: VerbName): Own {
  const own = OWN[verb];
  if (!own) throw new Error(`there are no words for the verb ${verb}: add them here`);
  return own;
}

/** Every view of one verb. `labels`: other steps than its own; `target`: another name. */
export function everyOf(
  verb: VerbName,
  { labels = ownOf(verb).labels, target = ownOf(verb).target }: Partial<Pick<Own, 'labels' | 'target'>> = {},
): readonly Shown[] {
  const own = ownOf(verb);
  const of = (...states: StageState[]): StageView[] =>
    labels.map((label, at) => {
      const state = states[Math.min(at, states.length - 1)] ?? 'pending';
      const begun = state !== 'pending' && state !== 'skipped';
      return {
        number: at + 1,
        label,
        exposure: (at + 1) / (labels.length + 1),
        state,
        ...(begun && { startedAt: AT + at * 60_000 }),
        ...((state === 'passed' || state === 'undone') && { endedAt: AT + at * 60_000 + 55_000, counts: COUNTS }),
      };
    });
  const base = view('planning', {
    verb,
    target,
    text: own.text,
    reason: REASON,
    from: own.from,
    to: own.to,
    explanation: own.explanation,
    watched: own.watched,
    stages: of('pending'),
  });
  const asked = (change: Partial<Gate>): Gate => gate({ quorum: 1, calls: { usergroups: ['S0REVIEWERS'], emails: [] }, ...change });
  const live = { counts: COUNTS, canaryShare: 0.0998, at: AT + 90_000 };
  const watching: Partial<OperationView> = { stages: of('passed', 'watching', 'pending'), watchUntil: AT + 120_000, live };
  const held = of('passed', 'held', 'pending');
  const harmful: Harmful = {
    kind: 'harmful',
    judge: 'objective',
    counts: COUNTS,
    firstHarmAt: AT + 60_000,
    decidedAt: AT + 61_200,
    logEvidence: 7.4,
    logThreshold: 6.9,
    words: own.harm,
  };
  const blind: Verdict = { kind: 'blind', counts: COUNTS, reason: 'lost', words: own.blind };
  const drift = [{ object: own.object, field: '/spec/x', expected: '10', found: '25', manager: own.manager }];
  const frozen = { scope: 'demo/backend', reason: 'release weekend', by: { id: 'r', name: 'Reviewer' }, setAt: AT, until: AT + 3_600_000 };
  const accepts = [
    { key: 'ingress/external/external/8080/TCP', words: '2 connections from external/external to port 8080/TCP', count: 2, most: 6 },
    { key: 'ingress/world/8080/TCP', words: '1 connection from world to port 8080/TCP', count: 1, most: 10 },
  ];
  const failing = { since: AT, reason: 'connection refused', commands: ["kubectl -n backend patch httproute backend --type=json -p '[]'"] };
  const show = (name: string, phase: OperationView['phase'], change: Partial<OperationView> = {}): Shown => ({
    name,
    view: { ...base, phase, ...change },
  });
  const by = { id: 'reviewer@example.com', name: 'Reviewer', slackId: 'U0REVIEWER' };
  const outcomes = KINDS.map((kind): Outcome => {
    const undone = kind === 'rolled-back' || kind === 'failed' || kind === 'aborted';
    return {
      kind,
      code: kind === 'rolled-back' ? 'Harmful' : 'Code',
      words: kind === 'rolled-back' ? `${own.harm} The mesh is exactly as before.` : 'It is over. Nothing was changed.',
      by,
      ...(undone && { restoredExactly: true, now: `${own.from}, exactly as before` }),
      ...(kind === 'completed' && { now: own.to }),
      ...(kind === 'rolled-back' && { verdict: harmful }),
    };
  });
  return [
    show('planning', 'planning', { stages: [], explanation: [], watched: [] }),
    show('waiting', 'waiting', { gate: asked({}) }),
    show('waiting for two', 'waiting', { gate: asked({ quorum: 2, approvals: [{ by, at: AT }] }) }),
    show('waiting in the middle', 'waiting', { ...watching, stages: of('passed', 'pending'), gate: asked({ stage: 2 }) }),
    show('waiting while frozen', 'waiting', { gate: asked({}), frozen }),
    show('applying', 'applying', { stages: of('applying', 'pending') }),
    show('watching', 'watching', watching),
    show('holding', 'holding', { stages: held, verdict: blind, live, gate: asked({ kind: 'hold', stage: 2 }) }),
    show('holding, seen again', 'holding', {
      stages: held,
      verdict: blind,
      live: { ...live, word: { kind: 'blind', words: own.blind }, seenSince: AT + 80_000 },
      gate: asked({ kind: 'hold', stage: 2 }),
    }),
    show('holding, drops to accept', 'holding', {
      stages: held,
      verdict: { kind: 'doubtful', counts: COUNTS, doubts: accepts, words: 'It may be unwanted traffic; meshops cannot know.' } as Verdict,
      gate: asked({ kind: 'hold', stage: 2, accepts }),
    }),
    show('holding, drift', 'holding', { stages: held, drift, gate: asked({ kind: 'drift', stage: 2 }) }),
    show('holding, frozen', 'holding', { stages: of('passed', 'pending'), frozen, live }),
    show('holding, undo', 'holding', {
      stages: held,
      gate: asked({ kind: 'undo', why: 'backend-1 has no ready endpoint, so its traffic would find nobody.' }),
    }),
    show('afterwatch', 'afterwatch', { ...watching, stages: of('passed') }),
    show('restoring', 'restoring', { stages: of('passed', 'harmful', 'skipped'), verdict: harmful }),
    show('restored, checking', 'restoring', { stages: of('undone', 'harmful', 'skipped'), verdict: harmful, restored: true }),
    show('undo failing', 'restoring', { stages: of('passed', 'harmful', 'skipped'), undoFailing: failing }),
    show('lost', 'watching', { stages: of('passed', 'watching', 'pending'), lost: { how: 'terminated' } }),
    show('waiting for the database', 'applying', {
      stages: of('passed', 'pending'),
      awaited: { what: 'records', since: AT },
    }),
    ...outcomes.map((outcome) =>
      show(`over, ${outcome.kind}`, 'over', {
        stages: outcome.kind === 'completed' ? of('passed') : outcome.restoredExactly ? of('undone', 'harmful', 'skipped') : of('skipped'),
        outcome,
      }),
    ),
    show('over, still failing', 'over', {
      stages: of('undone', 'harmful', 'skipped'),
      outcome: {
        kind: 'rolled-back',
        code: 'Harmful',
        words: own.harm,
        verdict: harmful,
        restoredExactly: true,
        now: `${own.from}, exactly as before`,
        stillFailing: { words: 'It goes on.', hasShare: verb === 'canary' },
      },
    }),
  ];
}

/** Of every verb. */
export const EVERY: readonly (Shown & { readonly verb: VerbName })[] = VERB_NAMES.flatMap((verb) =>
  everyOf(verb).map((one) => ({ ...one, name: `${verb}, ${one.name}`, verb })),
);
