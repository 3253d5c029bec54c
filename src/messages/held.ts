// Why an operation waits or goes back, and how that is now: a hold is no still picture. Pure.
import type { OperationView } from '../domain/lifecycle/operation.ts';
import { recordOf } from '../domain/verb.ts';
import { clockTime, frozenWords, person, said } from '../domain/words/words.ts';
import { driftLines, selfHealOf, selfHealWords } from './drift.ts';
import { presentStage } from './ladder.ts';

const LONGEST_WHY = 220;

/** What is wrong, first of all; none where nothing is. */
export function whyLines(view: OperationView): readonly string[] {
  const { phase, frozen, gate, drift } = view;
  if (view.undoFailing) return failing(view.undoFailing, view);
  const why = reasonNow(view);
  if (why === undefined) return [];
  if (phase === 'restoring' || view.lost) return [`*Why:* ${said(why, LONGEST_WHY)}`];
  if (frozen && !gate) return [`*Frozen:* ${frozenWords(frozen)}`];
  return [`*Why:* ${said(why, LONGEST_WHY)}`, ...(drift ? changed(view, drift) : stopped(view))];
}

/** Why it waits or goes back, in one plain sentence; undefined while nothing is wrong. */
export function reasonNow(view: OperationView): string | undefined {
  const { phase, gate, drift, frozen, verdict, live } = view;
  if (view.undoFailing) return `The change is still in place: ${view.undoFailing.reason}.`;
  if (view.lost) return `Its run was ${view.lost.how} on the Temporal server, so nothing would roll it back by itself.`;
  if (phase === 'restoring') return verdict && withoutOdds(verdict.words);
  if (phase !== 'holding') return undefined;
  if (frozen && !gate) return '';
  if (drift) {
    const tool = selfHealOf(live?.drift?.length ? live.drift : drift);
    return tool ? selfHealWords(tool) : 'Someone else changed what this operation manages.';
  }
  const why = gate?.why ?? verdict?.words;
  return why === undefined ? undefined : withoutOdds(why);
}

/** Certainty is for the thread: at three in the morning the counts are what people can check. */
export function withoutOdds(words: string): string {
  return words.replaceAll(/ \((evidence|certainty) [^)]*\)/g, '');
}

/** What holds beside what people are asked or what is under way: a freeze, and what cannot be seen. */
export function meanwhileLines(view: OperationView): readonly string[] {
  const { phase, frozen, gate } = view;
  if (phase === 'restoring' || phase === 'over') return [];
  const freeze =
    frozen && gate
      ? [`*Frozen:* ${frozenWords(frozen)} Nothing is written before it ends; an approval that is given meanwhile counts then.`]
      : [];
  return [...freeze, ...(phase === 'holding' && !(frozen && !gate) ? [] : unseen(view))];
}

function failing({ since, reason }: NonNullable<OperationView['undoFailing']>, { releases }: OperationView): readonly string[] {
  return [
    `*The change is still in place.* The rollback has been failing since ${clockTime(since)}: ${said(reason, LONGEST_WHY)}`,
    ...(releases?.length
      ? [`*Release:* ${releases.map(({ by, at }) => `${person(by)} ${clockTime(at)}`).join(', ')}. Two people are needed.`]
      : []),
  ];
}

function changed({ live }: OperationView, drift: NonNullable<OperationView['drift']>): readonly string[] {
  const now = live?.drift;
  const lines = driftLines(now?.length ? now : drift);
  if (!live || now === undefined) return lines;
  return now.length > 0
    ? [...lines, `Read ${clockTime(live.at)}.`]
    : [...lines, `Since then it was changed back: at ${clockTime(live.at)} everything is as this operation set it.`];
}

function stopped({ live, gate }: OperationView): readonly string[] {
  if (gate?.why !== undefined || !live?.word) return [];
  const again = live.seenSince === undefined ? '' : ` Everything is seen again since ${clockTime(live.seenSince)}.`;
  return [`*Now* (${clockTime(live.at)}):${again} ${said(withoutOdds(live.word.words), 160)}`];
}

/** While nobody is asked about it: what cannot be seen just now. */
function unseen({ live }: OperationView): readonly string[] {
  return live?.word?.kind === 'blind' ? [`*Cannot see* (${clockTime(live.at)}): ${said(live.word.words, 160)}`] : [];
}

/** What approvers must know before anything else, while nothing is written: what a policy would drop. */
export function leadOf(view: OperationView): string | undefined {
  const isFirst = view.phase === 'waiting' && presentStage(view) === undefined;
  return isFirst && recordOf(view.verb).words.leads ? view.explanation[0] : undefined;
}
