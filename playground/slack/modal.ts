// Submitting and closing modals, and what the app may answer.
import { acceptView } from './block-kit/accept.ts';
import { isRecord } from './block-kit/checks.ts';
import type { Core } from './core.ts';
import type { Deliveries } from './delivery.ts';
import { inputErrors, stateOf, type Values } from './element-state.ts';
import type { Json } from './messages.ts';
import { type Outcome, outcomeOf, refusedOutcome } from './outcome.ts';
import { closedPayload, submissionPayload } from './payloads.ts';
import { SlackRefusal } from './refusal.ts';
import type { OpenView } from './views.ts';
import type { SlackUser } from './workspace.ts';

function blocksOf(open: OpenView): readonly Json[] {
  return Array.isArray(open.view['blocks']) ? open.view['blocks'].filter(isRecord) : [];
}

function errorsOf(open: OpenView, answer: Json): Record<string, string> {
  const errors = isRecord(answer['errors']) ? answer['errors'] : {};
  const known = new Set(blocksOf(open).map((block) => block['block_id']));
  const unknown = Object.keys(errors).find((id) => !known.has(id));
  if (unknown !== undefined || Object.keys(errors).length === 0) {
    throw new SlackRefusal('invalid_response_action', { messages: [`errors must name blocks of the view, got ${String(unknown)}`] });
  }
  return Object.fromEntries(Object.entries(errors).map(([id, text]) => [id, String(text)]));
}

/** Carries out response_action. Returns errors to show, or undefined. */
function follow(core: Core, user: SlackUser, open: OpenView, ack: unknown): Record<string, string> | undefined {
  const answer = isRecord(ack) ? ack : {};
  const action = answer['response_action'];
  if (action === 'errors') return errorsOf(open, answer);
  if (action === 'clear') core.views.close(user.id, true);
  else if (action === 'update') core.views.update({ id: open.id }, acceptView(answer['view'], core.limits.viewBlocks), undefined);
  else if (action === 'push') core.views.push(user.id, acceptView(answer['view'], core.limits.viewBlocks));
  else if (action === undefined) core.views.close(user.id, false);
  else throw new SlackRefusal('invalid_response_action', { messages: [`unknown response_action ${JSON.stringify(action)}`] });
  return undefined;
}

export async function submitModal(core: Core, deliveries: Deliveries, user: SlackUser, viewId: string, values: Values): Promise<Outcome> {
  const open = core.views.stack(user.id).at(-1);
  if (open?.id !== viewId) throw new SlackRefusal('view_not_open');
  const state = stateOf(blocksOf(open), values);
  const wrong = inputErrors(blocksOf(open), state);
  if (Object.keys(wrong).length > 0) return refusedOutcome('input_invalid', undefined, wrong);
  const delivered = await deliveries.deliver('interactive', submissionPayload(core, user, open, state), 'view_submission');
  if (delivered.error !== undefined) return outcomeOf(delivered);
  try {
    const errors = follow(core, user, open, delivered.ack);
    return errors ? { ...outcomeOf(delivered), ok: false, errors } : outcomeOf(delivered);
  } catch (error) {
    if (!(error instanceof SlackRefusal)) throw error;
    core.log.add({ direction: 'in', method: 'ack', ok: false, ms: 0, summary: 'view_submission', refusal: error.message });
    return { ...outcomeOf(delivered), ok: false, error: error.code };
  }
}

export async function closeModal(core: Core, deliveries: Deliveries, user: SlackUser, all: boolean): Promise<Outcome> {
  const closed = core.views.close(user.id, all);
  const last = closed.at(-1);
  if (!last) throw new SlackRefusal('view_not_open');
  const told = closed.filter((open) => open.view['notify_on_close'] === true);
  for (const open of told) await deliveries.deliver('interactive', closedPayload(core, user, open, all), 'view_closed');
  return { ok: true, delivered: told.length > 0, error: undefined, ackMs: 0, ack: undefined, shown: undefined };
}
