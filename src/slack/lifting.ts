// Who may end a freeze before its time: whoever set it, and whoever may approve changes where it holds.

import { liftersOf } from '../domain/config/lifters.ts';
import type { Actor } from '../domain/lifecycle/actor.ts';
import type { Freeze } from '../domain/lifecycle/freeze.ts';
import type { BotDeps } from './deps.ts';
import { type Refused, refusal, refusalOf } from './refusals.ts';

/** Slack is asked for the members of groups; the answer to the command comes later where that takes long. */
const ASK_MS = 10_000;

/** Why this person may not lift or replace the freeze, or undefined. Where Slack does not say who is in a group, nobody of it may. */
export async function refuseLift(deps: BotDeps, freeze: Freeze, actor: Actor): Promise<Refused | undefined> {
  if (freeze.by.id === actor.id) return undefined;
  const approvers = liftersOf(deps.config().gates, freeze.scope);
  if (!approvers) return undefined;
  try {
    const people = await deps.people.approvers({ approvers }, AbortSignal.timeout(ASK_MS));
    if (people.some(({ id }) => id === actor.id)) return undefined;
    const names = people.map(({ name }) => name).filter((name) => name !== freeze.by.name);
    return refusalOf({ code: 'NotLiftable', parameters: { scope: freeze.scope, by: freeze.by.name, names } });
  } catch (error) {
    deps.log.warn({ err: error, scope: freeze.scope }, 'who may lift a freeze could not be learned');
    return refusal('SlackSilent');
  }
}
