import { canonicalJson } from '../json.ts';
import { formatDuration } from '../words/duration.ts';
import type { Refusal } from '../words/sentences.ts';
import type { GateRule } from './gate.ts';
import type { OperationRequest } from './operation.ts';
import { type Fields, type Original, objectKey, type PlannedStage } from './plan.ts';
import { lastWrites, type Written } from './written.ts';

/** A completed operation as the audit record keeps it: what a way back starts from. */
export interface Completed {
  readonly opId: string;
  readonly originals: readonly Original[];
  /** The last stage that is in force. */
  readonly last: PlannedStage;
  /** Everything it wrote; absent where only the last stage is known. */
  readonly written?: Written;
  /** Epoch ms. */
  readonly endedAt?: number;
  /** It took something back itself, so it is no target of another way back. */
  readonly isWayBack?: boolean;
  /** Who asked for it: the canonical id. */
  readonly by?: string;
}

/** One object that a completed operation changed: what it was before, and what it was left as. */
export interface Moved {
  readonly original: Original;
  readonly left: Fields;
  /** The operation removed it. */
  readonly isDeleted: boolean;
}

/** Everything that is different after a completed operation from before it, as its record says. Pods come and go with their labels. */
export function movedBy({ originals, last, written }: Completed): readonly Moved[] {
  const final = lastWrites(written ?? [{ stage: last.number, writes: last.writes }], Number.POSITIVE_INFINITY);
  return originals.flatMap((original) => {
    const write = final.get(objectKey(original.object));
    const left = { ...original.fields, ...write?.fields };
    const isDeleted = write?.isDeleted ?? false;
    const isNew = original.manifest === null;
    const isSame = isNew ? isDeleted : !isDeleted && canonicalJson(left) === canonicalJson(original.fields);
    return isSame || original.object.kind === 'Pod' ? [] : [{ original, left, isDeleted }];
  });
}

/** Why a completed way back is not gone back from: since when it is back, and by whom. */
export function alreadyBack(name: string, { opId, endedAt, by }: Pick<Completed, 'opId' | 'endedAt' | 'by'>): Refusal {
  const since = endedAt === undefined ? '' : `${new Date(endedAt).toISOString().slice(0, 16).replace('T', ' ')} UTC`;
  return { code: 'AlreadyBack', parameters: { service: name, opId, since, by: by ?? '' } };
}

/** A way back does without a rule for so long after what it takes back has completed, where the rule does not say. Milliseconds. */
const USUAL_WITHIN_MS = 24 * 3_600_000;

type Asked = Pick<OperationRequest, 'settings' | 'requestedAt'>;

/** The rules that a way back comes too late to do without: by then it is a change like another. */
export function lateRules({ settings, requestedAt }: Asked, completedAt: number | undefined): readonly GateRule[] {
  if (completedAt === undefined) return settings.gates;
  return settings.gates.filter(({ rollbackWithinMs = USUAL_WITHIN_MS }) => requestedAt - completedAt > rollbackWithinMs);
}

/** Why a way back that lowers asks for an approval all the same; nothing where it does not. */
export function lateWords(asked: Asked, { opId, endedAt }: Pick<Completed, 'opId' | 'endedAt'>): readonly string[] {
  const [rule] = lateRules(asked, endedAt);
  if (!rule) return [];
  const within = formatDuration(rule.rollbackWithinMs ?? USUAL_WITHIN_MS);
  return [`Operation ${opId} completed more than ${within} ago, so going back needs an approval like any change.`];
}
