// Reject and Abort ask why: in a form that says what it means for the mesh.
import { setTimeout as sleep } from 'node:timers/promises';
import { ACTION, parseButton } from '../../domain/lifecycle/button.ts';
import type { OperationView } from '../../domain/lifecycle/operation.ts';
import { reasonForm } from '../../messages/forms/reason.ts';
import type { Admission } from '../admission.ts';
import type { Answer } from '../answer.ts';
import { type Click, isSafe, refuseClick } from '../clicks.ts';
import type { BotDeps } from '../deps.ts';
import { refusal } from '../refusals.ts';

/** The trigger lives for 3 s: without a word of a worker by then the form opens without what it would say. */
const LOOK_MS = 1_000;

/** What came of a click that asks why. `unasked`: no form opened, and the click counts as it is. */
export type Opened = { readonly kind: 'opened' | 'unasked' } | { readonly kind: 'refused'; readonly answer: Answer | undefined };

/** Who this is gets checked when the reason comes. An abort does not wait for a Slack that opens nothing: it is the safe direction. */
export async function openReason(deps: BotDeps, admission: Admission, click: Click): Promise<Opened> {
  const { action, origin, value } = click;
  const refused = admission.greet(origin, { safe: isSafe(action) });
  if (refused) return { kind: 'refused', answer: refuseClick(deps, click, refused) };
  const ids = parseButton(value);
  if (!ids) return { kind: 'refused', answer: refuseClick(deps, click, refusal('ForgedButton')) };
  const memory = { value, channelId: origin.channelId, ...(action === ACTION.abort && { stops: true as const }) };
  const view = await Promise.race([described(deps, ids), sleep(LOOK_MS, undefined, { ref: false })]);
  try {
    await deps.web.views.open({ trigger_id: origin.triggerId, view: reasonForm(memory, ids.opId, view) });
    return { kind: 'opened' };
  } catch (error) {
    deps.log.warn({ err: error }, 'the form for a reason could not be opened');
    return memory.stops ? { kind: 'unasked' } : { kind: 'refused', answer: refuseClick(deps, click, refusal('NoModal')) };
  }
}

async function described(
  { operations }: BotDeps,
  at: { readonly workflowId: string; readonly runId: string; readonly opId: string },
): Promise<OperationView | undefined> {
  const answer = await operations.describe({ workflowId: at.workflowId, runId: at.runId }).catch(() => undefined);
  return answer?.kind === 'view' && answer.view.opId === at.opId ? answer.view : undefined;
}
