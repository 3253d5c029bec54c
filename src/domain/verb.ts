import { CANARY_VERB } from './canary/verb.ts';
import { ENCRYPTION_VERB } from './encryption/verb.ts';
import type { Change, VerbName } from './lifecycle/change.ts';
import type { Plan } from './lifecycle/plan.ts';
import { POLICY_VERB } from './policy/verb.ts';
import type { VerbRecord } from './verb-record.ts';

/** The only list of verbs. What a verb brings beside its record: `src/domain/<verb>/` and `activities/<verb>/`. */
export const VERB_RECORDS: Readonly<Record<VerbName, VerbRecord>> = {
  canary: CANARY_VERB,
  policy: POLICY_VERB,
  encryption: ENCRYPTION_VERB,
};

export const VERB_NAMES = Object.keys(VERB_RECORDS) as unknown as readonly [VerbName, ...VerbName[]];

/** Throws for a name that no verb of this build has: a newer build's operation is for a newer build to show. */
export function recordOf(verb: VerbName): VerbRecord {
  const record = Object.hasOwn(VERB_RECORDS, verb) ? VERB_RECORDS[verb] : undefined;
  if (!record) throw new Error(`this build has no verb ${verb}`);
  return record;
}

/** The verb of an operation, from its id; undefined when it is none of ours. */
export function verbIn(opId: string): VerbName | undefined {
  return VERB_NAMES.find((name) => opId.startsWith(`${name}-`));
}

interface Asked {
  readonly verb: VerbName;
  readonly change: Change;
}

/** Does the change only take something back? Then no freeze stops it. */
export function isWayBack({ verb, change }: Asked): boolean {
  return change.kind === 'back' || recordOf(verb).isWayBack(change);
}

/** A way back that is still being planned counts as one that lowers: only its plan knows whether it raises anybody. */
export function takesBack(asked: Asked, plan: Pick<Plan, 'lowers' | 'back'> | undefined): boolean {
  return isWayBack(asked) && !(plan?.back && !plan.lowers);
}
