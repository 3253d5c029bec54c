import type { Verdict } from '../judge/verdict.ts';
import type { Actor } from './actor.ts';
import type { Outcome, OutcomeKind } from './operation.ts';

/** Why an operation goes no further, before it is known what the undo achieved. */
export interface Ending {
  readonly kind: OutcomeKind;
  readonly code: string;
  readonly by?: Actor | { readonly id: string; readonly name: string; readonly slackId?: string };
  readonly reason?: string;
  readonly verdict?: Verdict;
  readonly stillFailing?: NonNullable<Outcome['stillFailing']>;
  /** It was a way back: there is nothing to offer but to look. */
  readonly takesBack?: boolean;
  /** What is typed to take it back; left out: `/mesh rollback`. */
  readonly wayBack?: string;
  /** Written, and the controller has not said in time that it is in force: its words. */
  readonly unconfirmed?: string;
  /** Whom an impossible plan could have meant. */
  readonly candidates?: readonly string[];
  /** A sentence that a step has already found (an impossible plan, a refusal of the cluster). */
  readonly words?: string;
}

/** What the undo achieved; undefined when nothing had been changed. */
export type Undone =
  | {
      readonly kind: 'restored';
      readonly exact: boolean;
      readonly drifted: readonly string[];
      readonly gone: readonly string[];
      /** What the operation exposed is exposed still: another hand's doing, that was left alone. */
      readonly exposes?: true;
    }
  | { readonly kind: 'superseded'; readonly object: string }
  /** It only takes away, so what it has written stays written. */
  | { readonly kind: 'kept' }
  /** People have given it up: what the mesh does now is not known. */
  | { readonly kind: 'abandoned'; readonly by: readonly string[] };

/** The outcome in one value and one sentence: what happened, what it means for the mesh now, what to do next. */
export function concludeOperation(ending: Ending, undone: Undone | undefined): Outcome {
  const kind = undone?.kind === 'superseded' || undone?.kind === 'abandoned' ? undone.kind : ending.kind;
  const by = ending.by && personOf(ending.by);
  return {
    kind,
    code: ending.code,
    words: [firstSentence(ending), meshSentence(ending, undone), stillFailing(ending)].filter(Boolean).join(' '),
    ...(by && { by }),
    ...(undone && { restoredExactly: undone.kind === 'restored' && undone.exact }),
    ...(ending.stillFailing && { stillFailing: ending.stillFailing }),
    ...(ending.verdict && { verdict: ending.verdict }),
    ...(ending.candidates && { candidates: ending.candidates }),
  };
}

function personOf(by: NonNullable<Ending['by']>): NonNullable<Outcome['by']> {
  const slackId = 'slack' in by ? by.slack?.userId : 'slackId' in by ? by.slackId : undefined;
  return { id: by.id, name: by.name, ...(slackId && { slackId }) };
}

function stillFailing({ stillFailing: seen }: Ending): string {
  if (!seen) return '';
  const next = seen.hasShare ? 'It still has traffic: 0% takes it out.' : 'The cause lies elsewhere: look at the service itself.';
  return `Rolled back, still failing: ${seen.words} ${next}`;
}

function firstSentence(ending: Ending): string {
  const by = ending.by ? ` by ${ending.by.name}` : '';
  const reason = ending.reason ? `: ${ending.reason}` : '';
  switch (ending.kind) {
    case 'completed':
      return ending.code === 'Kept'
        ? `Kept as it is${by}${reason}. Nobody has watched it since its run was lost.`
        : completedSentence(ending);
    case 'rolled-back':
      return ending.verdict ? ending.verdict.words : `Rolled back${by}${reason}.`;
    case 'rejected':
      return `Rejected${by}${reason}.`;
    case 'aborted':
      return `Aborted${by}${reason}.`;
    case 'expired':
      return 'Nobody decided in time.';
    case 'drifted':
      return `${ending.words ?? 'Someone else changed the same fields meanwhile.'}${ending.by ? ` Left as it is${by}${reason}.` : ''}`;
    case 'superseded':
      return ending.words ?? 'Another operation holds these objects now.';
    case 'impossible':
    case 'failed':
    case 'abandoned':
      return ending.words ?? `Stopped${reason}.`;
  }
}

/** Only what a watch has seen is called healthy. */
function completedSentence({ verdict, unconfirmed }: Ending): string {
  if (unconfirmed !== undefined) return `Everything is written, but the controller has not confirmed it: ${unconfirmed}`;
  if (!verdict) return 'All steps are in place. The traffic was not watched.';
  if (verdict.kind === 'healthy') {
    if (verdict.unseen === undefined) return 'All steps are in place and the traffic stayed healthy.';
    return `All steps are in place and the traffic that was seen stayed healthy. Not seen in the watch: ${verdict.unseen}.`;
  }
  if (verdict.kind === 'harmful') return `All steps are in place. The last watch saw failures all the same: ${verdict.words}`;
  return `All steps are in place. The last watch could not say that the traffic is healthy: ${verdict.words}`;
}

/** Stands in an outcome's words. */
export const EXACTLY_AS_BEFORE = 'The mesh is exactly as before.';

function meshSentence(ending: Ending, undone: Undone | undefined): string {
  const { takesBack, wayBack = '/mesh rollback' } = ending;
  if (ending.kind === 'completed') return takesBack ? '' : `The change stays as approved; ${wayBack} rolls it back.`;
  // An impossible plan says itself that nothing was changed, and what to do.
  if (!undone) return ending.kind === 'impossible' ? '' : 'Nothing was changed.';
  if (undone.kind === 'superseded') return `${undone.object} is held by another operation, so nothing of it was touched. Check it by hand.`;
  if (undone.kind === 'kept') return 'What it had rolled back by then stays so; nothing is applied again. `status` shows what is there.';
  if (undone.kind === 'abandoned')
    return `The rollback kept failing and ${undone.by.join(' and ')} released it: the change may still be in place. Roll it back by hand.`;
  const left = [
    ...(undone.gone.length > 0 ? [`${undone.gone.join(', ')} was deleted or replaced by others; what is there now was left alone.`] : []),
    ...(undone.drifted.length > 0 ? [`Others changed ${undone.drifted.join(', ')}, which was left alone.`] : []),
  ];
  if (left.length > 0) return `Our own values were rolled back. ${left.join(' ')} Look at it before the next change.`;
  return undone.exact
    ? EXACTLY_AS_BEFORE
    : 'The managed fields are as they were before; other fields of the objects were changed by others meanwhile and were left alone.';
}

/** How an operation ended, for people. */
export const OUTCOME_WORDS: Readonly<Record<OutcomeKind, string>> = {
  completed: 'completed',
  'rolled-back': 'rolled back',
  rejected: 'rejected',
  aborted: 'aborted',
  expired: 'expired',
  impossible: 'not possible',
  failed: 'failed',
  superseded: 'stopped, another operation took over',
  drifted: 'stopped, left as changed',
  abandoned: 'abandoned, change still in place',
};

/** The same with what became of the mesh. */
export function outcomeState({ kind, restoredExactly, stillFailing }: Pick<Outcome, 'kind' | 'restoredExactly' | 'stillFailing'>): string {
  const words = OUTCOME_WORDS[kind];
  if (kind === 'rolled-back') return stillFailing ? `${words}, still failing` : words;
  const wasWritten = restoredExactly !== undefined;
  if (kind === 'expired') return wasWritten ? 'expired, rolled back' : 'expired, not approved';
  return wasWritten && (kind === 'aborted' || kind === 'failed') ? `${words}, rolled back` : words;
}
