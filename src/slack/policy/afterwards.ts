import { type Answer, sayPlain } from '../answer.ts';
import { inBackground } from '../background.ts';
import type { BotDeps } from '../deps.ts';
import { refusal } from '../refusals.ts';
import type { Later } from './parts.ts';

/** Work that a person waits for after the answer to the request. What it gives, and what breaks, is told to them. */
export function afterwards(deps: BotDeps, later: Later, work: () => Promise<Answer | undefined>): void {
  inBackground(deps, 'the result of a policy command could not be told', async () => {
    let answer: Answer | undefined;
    try {
      answer = await work();
    } catch (error) {
      deps.log.error({ err: error }, 'a policy command broke after its answer');
      answer = sayPlain(refusal('Broken').words);
    }
    if (answer) await later(answer);
  });
}
