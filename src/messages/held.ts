// Why an operation waits, and how that is now: a hold is no still picture. Pure.
import type { OperationView } from '../domain/lifecycle/operation.ts';
import { clockTime, frozenWords, said } from '../domain/words/words.ts';
import { driftLines, selfHealOf, selfHealWords } from './drift.ts';

/** Lines for one section; none while nothing waits and everything is seen. */
export function heldLines(view: OperationView): readonly string[] {
  const { phase, frozen, gate, drift } = view;
  if (phase === 'restoring' || phase === 'over') return [];
  const waits = gate ? ' Nothing is written before it ends; an approval that is given meanwhile counts then.' : '';
  const freeze = frozen ? [`*Frozen:* ${frozenWords(frozen)}${waits}`] : [];
  if (phase !== 'holding' || (frozen && !gate)) return [...freeze, ...unseen(view)];
  return [...freeze, ...(drift ? changed(view, drift) : stopped(view))];
}

function changed({ live }: OperationView, drift: NonNullable<OperationView['drift']>): readonly string[] {
  const now = live?.drift;
  const tool = selfHealOf(now?.length ? now : drift);
  const why = tool ? selfHealWords(tool) : 'someone else changed what this operation manages.';
  const lines = [`*Held:* ${why}`, ...driftLines(now?.length ? now : drift)];
  if (!live || now === undefined) return lines;
  return now.length > 0
    ? [...lines, `Read ${clockTime(live.at)}.`]
    : [...lines, `Since then it was changed back: at ${clockTime(live.at)} everything is as this operation set it.`];
}

function stopped({ verdict, live, gate }: OperationView): readonly string[] {
  if (gate?.why !== undefined) return [`*Held:* ${said(gate.why, 500)}`];
  if (!verdict) return [];
  const held = `*Held:* ${said(verdict.words, 500)}`;
  if (!live?.word) return [held];
  const again = live.seenSince === undefined ? '' : ` Everything is seen again since ${clockTime(live.seenSince)}.`;
  return [held, `*Now* (${clockTime(live.at)}):${again} ${said(live.word.words, 300)}`];
}

/** While nobody is asked about it: what cannot be seen just now. */
function unseen({ live }: OperationView): readonly string[] {
  return live?.word?.kind === 'blind' ? [`*Cannot see* (${clockTime(live.at)}): ${said(live.word.words, 300)}`] : [];
}
