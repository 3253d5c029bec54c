import type { JsonObject } from '../../domain/json.ts';
import type { Target } from '../../domain/target.ts';
import { type Answer, sayPlain } from '../answer.ts';
import { inBackground } from '../background.ts';
import type { BotDeps } from '../deps.ts';
import { requestIdOf } from '../origin.ts';
import type { Refused } from '../refusals.ts';
import type { PolicyAsked } from './parts.ts';

const NOWHERE: Target = { cluster: '', namespace: '', name: '' };

/** Says why a request goes no further, and records that. */
export function refused(deps: BotDeps, { origin, text }: PolicyAsked, { code, words }: Refused, target: Target = NOWHERE): Answer {
  deps.meter.refused(code);
  const data = { text: text.slice(0, 500), channel: origin.channelId, team: origin.teamId };
  deps.refusals.note({ origin, code, actor: origin.userId, data, target });
  return sayPlain(words);
}

/** Records what was asked for, where nothing is changed by it. */
export function noteAsked(deps: BotDeps, { origin, text, actor }: PolicyAsked, target: Target, data: JsonObject = {}): void {
  const key = `${requestIdOf(origin)}:asked`;
  const record = {
    key,
    at: deps.now(),
    kind: 'request' as const,
    opId: '',
    target,
    actor: actor.id,
    data: { ...data, text: text.slice(0, 500), channel: origin.channelId },
  };
  inBackground(deps, 'a request could not be recorded', () => deps.audit.append([record]));
}
