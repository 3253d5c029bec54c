import { type Answer, sayPlain } from '../answer.ts';
import type { BotDeps } from '../deps.ts';
import { refusal } from '../refusals.ts';
import type { Later } from './parts.ts';

/**
 * Work that a person waits for after the answer to the request. What it gives, and what breaks, is said by `later`. Returns why it does
 * not begin: too much is under way. `person`: who asks a cluster at length; a few do so at once.
 */
export function afterwards(deps: BotDeps, later: Later, work: () => Promise<Answer | undefined>, person?: string): Answer | undefined {
  const leave = person === undefined ? () => {} : deps.room.enter(person);
  const begun = leave && deps.inFlight.track(() => done(deps, later, work).finally(leave));
  if (begun) {
    begun.catch((error: unknown) => deps.log.error({ err: error }, 'the result of a policy command could not be said'));
    return undefined;
  }
  leave?.();
  deps.meter.refused('Full');
  return sayPlain(refusal('Full').words);
}

async function done(deps: BotDeps, later: Later, work: () => Promise<Answer | undefined>): Promise<void> {
  let answer: Answer | undefined;
  try {
    answer = await work();
  } catch (error) {
    deps.log.error({ err: error }, 'a policy command broke after its answer');
    answer = sayPlain(refusal('Broken').words);
  }
  if (answer && !answer.isPosted) await later(answer);
}
