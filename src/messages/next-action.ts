// What happens next and who must do something: the state in a few words for the headline, and the line under which people act. Pure.

import type { Gate } from '../domain/lifecycle/gate.ts';
import type { OperationView } from '../domain/lifecycle/operation.ts';
import { outcomeState } from '../domain/lifecycle/outcome.ts';
import { recordOf } from '../domain/verb.ts';
import { clockTime, people, person, plural, said } from '../domain/words/words.ts';
import { nextStage, presentStage } from './ladder.ts';

/** The state in a few words, for the headline and for notifications. */
export function stateWords(view: OperationView): string {
  if (view.lost) return 'not being watched';
  if (view.undoFailing) return 'rollback failing';
  const { phase, gate, outcome } = view;
  const step = presentStage(view)?.label;
  switch (phase) {
    case 'planning':
      return 'planning';
    case 'waiting':
      return gate && gate.quorum > 1 ? `needs approval (${gate.approvals.length} of ${gate.quorum})` : 'needs approval';
    case 'applying':
      return `applying ${step ?? 'the next step'}`;
    case 'watching':
      return `watching ${step ?? 'the traffic'}`;
    case 'holding':
      if (view.frozen && !gate) return `waits${step === undefined ? '' : ` at ${step}`} for a freeze`;
      if (gate?.kind === 'undo') return 'rollback held, needs a decision';
      if (gate?.kind === 'drift') return 'held, someone else changed it';
      return `held${step === undefined ? '' : ` at ${step}`}, needs a decision`;
    case 'afterwatch':
      return `${inPlace(view)}, watching`;
    case 'restoring':
      return view.restored ? 'rolled back, checking' : 'rolling back';
    case 'over':
      return outcome ? outcomeState(outcome) : 'over';
    default:
      return phase satisfies never;
  }
}

/** `at 10%` where the step says it; a policy is enforced, or only observed. */
function inPlace(view: OperationView): string {
  const { label = '', exposure = 0 } = presentStage(view) ?? {};
  if (/^\d+(\.\d+)?%$/.test(label)) return `at ${label}`;
  return recordOf(view.verb).words.inPlace?.(exposure) ?? 'in place';
}

/** What happens next by itself, or who must do what, under the word that says which of the two. None: it is over, and there is nothing to do. */
export function nextLines(view: OperationView): readonly string[] {
  if (view.lost) return [`*Next:* roll it back with the button, or with \`/mesh abort ${view.opId}\`. An approver can keep it.`];
  const { phase, restored, undoFailing } = view;
  const until = view.watchUntil === undefined ? 'the end of the watch' : clockTime(view.watchUntil);
  const next = nextStage(view);
  switch (phase) {
    case 'planning':
      return ['*Next:* the plan. Nothing has changed.'];
    case 'waiting':
      return waiting(view);
    case 'applying':
      return ['*Next:* it is watched as soon as the controller reports it in place.'];
    case 'watching':
      return [`*Next:* ${next ? said(next.label, 80) : 'the last watch'} at ${until} if it stays healthy. Rolled back at once if not.`];
    case 'holding':
      return holding(view);
    case 'afterwatch':
      return [`*Next:* completes at ${until}. Rolled back at once if it gets worse.`];
    case 'restoring':
      if (restored) return [`*Next:* watched until ${until}, to see that the service has recovered.`];
      return undoFailing
        ? [
            '*Next:* meshops goes on trying. The commands are in the thread; anyone with rights on the cluster can run them.',
            `Cannot be fixed: two approvers end it with \`/mesh release ${view.opId}\`.`,
          ]
        : ['*Next:* meshops rolls back and reads it back. Nobody needs to act.'];
    case 'over':
      return after(view);
    default:
      return phase satisfies never;
  }
}

function waiting(view: OperationView): readonly string[] {
  const { gate } = view;
  const step = presentStage(view);
  const now = step ? `${said(step.label, 80)} is watched meanwhile.` : 'Nothing has changed.';
  if (!gate) return [`*Next:* an approval. ${now}`];
  return [
    ...(gate.why === undefined ? [] : [said(gate.why, 300)]),
    `${needs(gate)} by ${clockTime(gate.expiresAt)}, ${otherwise(view, gate)} ${now}`,
    ...given(gate),
  ];
}

/** What happens without an answer. An approval in the middle may end the operation or only its next step: what was asked for is not written either way. */
export function otherwise(view: OperationView, { kind, why }: Gate): string {
  switch (kind) {
    case 'approval':
      if (why !== undefined) return 'else it is rolled back.';
      return presentStage(view) ? 'else it is not written.' : 'else it is declined.';
    case 'hold':
      return 'else it is rolled back.';
    case 'drift':
      return 'else meshops stops and leaves it.';
    case 'undo':
      return 'else it is rolled back all the same.';
    default:
      return kind satisfies never;
  }
}

function needs({ quorum, approvers, approvals }: Gate): string {
  if (quorum === 0) return '*Needs* 1 approval from anyone who may give commands here,';
  const from = people(approvers.filter(({ id }) => !approvals.some(({ by }) => by.id === id)));
  return `*Needs* ${plural(quorum, 'approval')} from ${from}`;
}

function given({ approvals, quorum }: Gate): readonly string[] {
  if (approvals.length === 0) return [];
  const names = approvals.slice(0, 10).map(({ by, at }) => `${person(by)} at ${clockTime(at)}`);
  return [`So far ${approvals.length} of ${quorum}: ${names.join(', ')}.`];
}

function holding(view: OperationView): readonly string[] {
  const { gate, frozen, verb } = view;
  if (frozen && !gate)
    return ['*Next:* it goes on when the freeze ends. What is in place stays, is watched, and is rolled back if it gets worse.'];
  const by = gate ? ` by ${clockTime(gate.expiresAt)}` : '';
  const approver = !gate || gate.quorum === 0 ? 'anyone here' : people(gate.approvers);
  if (gate?.kind === 'undo')
    return [`*Next:* rolled back as soon as there is a ready endpoint${by ? `, or${by}` : ''} in any case. It is watched until then.`];
  if (gate?.kind === 'drift') {
    const { adopting, own } = recordOf(verb).words;
    return [
      `*Choose${by}*, else meshops stops and leaves it:`,
      `•  *Keep theirs*: go on with what was found, ${adopting} (${approver})`,
      `•  *Write ours*: the values of this step again (${approver})`,
      `•  *Stop*: only ${own} goes back (anyone here)`,
      ...given(gate),
    ];
  }
  return [
    `*Choose${by}*, else it is rolled back. What is in place stays and is watched.`,
    '•  *Keep watching*: watch longer (anyone here)',
    gate?.accepts
      ? `•  *Accept and continue*: go on, and take these as meant (${approver})`
      : `•  *Continue*: go on without proof (${approver})`,
    '•  *Roll back*: at once (anyone here)',
    ...(gate ? given(gate) : []),
  ];
}

function after(view: OperationView): readonly string[] {
  const kind = view.outcome?.kind;
  if (kind === 'completed') return completed(view);
  if (kind === 'superseded' || kind === 'drifted' || kind === 'abandoned')
    return ['*Next:* look at the objects in the cluster before anyone changes them again.'];
  return kind === 'impossible' ? ['*Next:* fix the problem above and run the command again.'] : [];
}

function completed(view: OperationView): readonly string[] {
  const exposure = presentStage(view)?.exposure ?? 0;
  if (exposure === 0 || (view.takesBack && exposure >= 1)) return [];
  if (exposure >= 1) return ['*Next:* nothing is left to do. A rollback stays possible.'];
  return [
    view.takesBack
      ? '*Next:* promote when you are ready. Nothing expires.'
      : '*Next:* promote when you are ready, or roll back. Nothing expires.',
  ];
}
