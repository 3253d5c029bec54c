import { CANARY_VERB } from './canary/verb.ts';
import { POLICY_VERB } from './policy/verb.ts';
import type { VerbRecord } from './verb-record.ts';
import type { VerbName } from './verbs.ts';

/** The only list of verbs with what each brings. */
export const VERB_RECORDS: Readonly<Record<VerbName, VerbRecord>> = { canary: CANARY_VERB, policy: POLICY_VERB };
