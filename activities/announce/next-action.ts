// What happens next and who must do something: one sentence for each phase, one state in words for the headline.

import type { OperationView } from '../../src/domain/operation.ts';
import { OUTCOME_WORDS } from '../../src/domain/outcome.ts';
import { VERB_RECORDS } from '../../src/domain/verb.ts';
import { clockTime, people, said } from '../../src/domain/words.ts';
import { nextStage, presentStage } from '../../src/messages/ladder.ts';

/** The state in a few words, for the headline and for notifications. */
export function stateWords(view: OperationView): string {
  if (view.lost) return 'nobody watches it';
  if (view.undoFailing) return 'the undo is failing';
  const stage = presentStage(view);
  switch (view.phase) {
    case 'planning':
      return 'planning';
    case 'waiting':
      return 'waiting for approval';
    case 'applying':
      return `applying ${stage?.label ?? 'the next stage'}`;
    case 'watching':
      return `watching ${stage?.label ?? 'the traffic'}`;
    case 'holding':
      if (view.frozen && !view.gate) return `frozen at ${stage?.label ?? 'this stage'}`;
      if (view.gate?.kind === 'undo') return 'rollback held, a decision is needed';
      return `held at ${stage?.label ?? 'this stage'}, a decision is needed`;
    case 'afterwatch':
      return 'all stages in force, still watching';
    case 'restoring':
      return view.restored ? 'rolled back, still watching' : 'rolling back';
    case 'over':
      return view.outcome ? OUTCOME_WORDS[view.outcome.kind] : 'over';
    default:
      return view.phase satisfies never;
  }
}

/** One sentence: the next thing that happens, by itself or by somebody's hand. */
export function nextAction(view: OperationView): string {
  if (view.lost)
    return `its run was ${view.lost.how} on the Temporal server, so nothing would roll it back by itself. Roll it back with the button, or with \`abort ${view.opId}\`; an approver can keep it.`;
  const until = view.watchUntil === undefined ? 'the end of the watch' : clockTime(view.watchUntil);
  const next = nextStage(view);
  switch (view.phase) {
    case 'planning':
      return 'The live objects are being read and the stages worked out. Nothing has been changed.';
    case 'waiting':
      return waiting(view);
    case 'applying':
      return 'The stage is being written; watching begins when the controller reports it in force.';
    case 'watching':
      return `If the traffic stays healthy until ${until}, ${next ? `${said(next.label, 80)} comes next` : 'the last stage has passed'}. If it gets worse, everything is put back at once.`;
    case 'holding':
      return holding(view);
    case 'afterwatch':
      return `Watched until ${until}. If the traffic gets worse, everything is put back at once.`;
    case 'restoring':
      if (view.restored) return `Everything is put back. The traffic is watched until ${until}, to see that the service is well again.`;
      return view.undoFailing
        ? 'The undo is repeated until it succeeds. Somebody with rights on the cluster can run the commands above; two approvers can end it with `/mesh release`.'
        : 'The objects are being put back and read again to prove it. Nobody needs to do anything.';
    case 'over':
      return after(view);
    default:
      return view.phase satisfies never;
  }
}

function waiting(view: OperationView): string {
  const deciders = view.gate ? people(view.gate.approvers.filter((one) => !hasApproved(view, one.id))) : 'an approver';
  const now = presentStage(view);
  return `${deciders} decides. ${now ? `${said(now.label, 80)} stays in force meanwhile and goes on being watched.` : 'Nothing has been changed yet.'}`;
}

function holding(view: OperationView): string {
  if (view.frozen && !view.gate)
    return 'It goes on by itself when the freeze ends or is lifted; what is in force stays, and is watched. An abort puts everything back.';
  const expiry = view.gate
    ? `Without an answer by ${clockTime(view.gate.expiresAt)} everything is put back.`
    : 'Without an answer everything is put back.';
  if (view.gate?.kind === 'undo')
    return `It is rolled back as soon as there is a ready endpoint, and by ${clockTime(view.gate.expiresAt)} in any case. Until then what is in place stays, is watched, and is rolled back if it gets worse. To have it now, roll back anyway.`;
  const approver = view.gate?.quorum === 0 ? '' : ' (needs an approver)';
  if (view.gate?.kind === 'drift') {
    const { adopting, own } = VERB_RECORDS[view.verb].words;
    return `Choose: adopt what was found ${adopting}${approver}, restore the values of this stage${approver}, or leave: the operation ends and only ${own} goes back. ${expiry.replace('everything is put back', 'it is left so')}`;
  }
  return `Choose: extend the watch, continue without a verdict${approver}, or roll back. ${expiry}`;
}

function after(view: OperationView): string {
  const kind = view.outcome?.kind;
  switch (kind) {
    case 'completed':
      return completed(view);
    case 'superseded':
    case 'drifted':
    case 'abandoned':
      return 'Look at the objects in the cluster before anybody changes them again.';
    case 'impossible':
      return 'Fix the problem above and run the command again.';
    case undefined:
    case 'rolled-back':
    case 'rejected':
    case 'aborted':
    case 'expired':
    case 'failed':
      return 'The target is free for the next operation.';
    default:
      return kind satisfies never;
  }
}

function completed(view: OperationView): string {
  const exposure = presentStage(view)?.exposure ?? 0;
  if (exposure === 0) return 'Nothing is left to do here.';
  if (view.takesBack) return exposure < 1 ? 'Promote when you are ready. Nothing expires.' : 'Nothing is left to do here.';
  return exposure < 1
    ? 'Promote when you are ready, or roll back. Nothing expires.'
    : 'Nothing is left to do here. A rollback stays possible.';
}

function hasApproved(view: OperationView, id: string): boolean {
  return view.gate?.approvals.some((approval) => approval.by.id === id) ?? false;
}
