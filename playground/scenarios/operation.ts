import { setTimeout } from 'node:timers/promises';
import type { Client, WorkflowHandle } from '@temporalio/client';
import { parseButton } from '../../src/domain/lifecycle/button.ts';
import type { OperationView, Outcome, Phase } from '../../src/domain/lifecycle/operation.ts';
import { findElement } from '../slack/block-kit/elements.ts';
import type { Drive } from '../slack/drive.ts';
import type { Message } from '../slack/messages.ts';
import type { Outcome as Shown } from '../slack/outcome.ts';
import { must, StoryBroken } from './scenario.ts';

export const CHANNEL = 'C0MESH';
export const PEOPLE = { operator: 'U0OPERATOR', reviewer: 'U0REVIEWER', reviewer2: 'U0REVIEWER2', guest: 'U0GUEST' } as const;
export type PersonName = keyof typeof PEOPLE;

/** A policy operation has so many at most in the stories. */
const MOST_STEPS = 8;
/** A click that was taken ends a hold in so long. */
const ANSWERED_WITHIN_MS = 2_000;

/** The id of the operation whose root message this is. */
export function operationIn(message: Message): string | undefined {
  const metadata = message.metadata as { event_type?: string; event_payload?: { op_id?: string } } | undefined;
  return metadata?.event_type === 'meshops_operation' ? metadata.event_payload?.op_id : undefined;
}

/** One operation, seen and acted on through its Slack message as people do; Temporal is asked only for what happened. */
export class Operation {
  readonly opId: string;
  /** Of its root message; empty where it was refused before there was one. */
  readonly ts: string;
  readonly handle: WorkflowHandle;
  readonly #drive: Drive;
  readonly #stepMs: number;

  /**
   * `started` names the run, so that a later operation on the same target is not taken for this one. `stepMs`: how much longer than usual a step may
   * take here.
   */
  constructor(
    drive: Drive,
    client: Client,
    { opId, ts = '' }: { readonly opId: string; readonly ts?: string },
    started: { readonly workflowId: string; readonly runId: string },
    stepMs = 0,
  ) {
    this.opId = opId;
    this.ts = ts;
    this.handle = client.workflow.getHandle(started.workflowId, started.runId);
    this.#drive = drive;
    this.#stepMs = stepMs;
  }

  root(): Message {
    const message = this.#drive.messages(CHANNEL).find((one) => one.ts === this.ts);
    must(message !== undefined, 'the root message is gone');
    return message;
  }

  /** Waits for a button on the root message and presses it. */
  async press(person: PersonName, action: string, timeoutMs = 30_000): Promise<Shown> {
    try {
      await this.#drive.waitFor(() => findElement(this.root().blocks ?? [], action), { timeoutMs, what: `the button ${action}` });
    } catch (error) {
      throw new StoryBroken(`${String(error)} The message says: ${this.root().text}`);
    }
    return this.#drive.as(PEOPLE[person]).click(CHANNEL, this.ts, action);
  }

  /** Presses Abort, and submits the form that asks why. */
  async abort(person: PersonName, reason?: string): Promise<Shown> {
    const clicked = await this.press(person, 'meshops:abort');
    if (!clicked.ok) return clicked;
    const actor = this.#drive.as(PEOPLE[person]);
    const view = await this.#drive.waitFor(() => actor.views()[0], { what: 'the form that asks why' });
    return actor.submitModal(view.id, reason === undefined ? {} : { reason });
  }

  /**
   * Answers a hold: presses its button until it is over. While the message of a hold is on its way, the button that is there may still be that of the
   * one before, and a click on it is refused.
   */
  async answer(person: PersonName, action: string, timeoutMs = 30_000): Promise<void> {
    const end = Date.now() + timeoutMs;
    for (let said = ''; (await this.view()).phase === 'holding'; ) {
      must(Date.now() < end, `${action} did not end the hold within ${timeoutMs} ms: ${said}`);
      const { ok, error } = await this.press(person, action);
      said = ok ? 'taken' : String(error);
      for (let waited = 0; waited < ANSWERED_WITHIN_MS && (await this.view()).phase === 'holding'; waited += 50) await setTimeout(50);
    }
  }

  /** The value of a button on the root message, once it is there. */
  async button(action: string): Promise<ReturnType<typeof parseButton>> {
    const found = await this.#drive.waitFor(() => findElement(this.root().blocks ?? [], action), { what: `the button ${action}` });
    return parseButton(String(found.element['value']));
  }

  view(): Promise<OperationView> {
    return this.handle.query<OperationView>('describe');
  }

  /** Waits until the operation's root message shows `probe`; the message is what people go by. */
  seen(probe: (message: Message) => boolean, what: string, timeoutMs = 30_000): Promise<Message> {
    return this.#drive.waitFor(() => (probe(this.root()) ? this.root() : undefined), { timeoutMs, what });
  }

  /** Waits until something in the operation's thread matches: the plan is there, with what does not change. Returns what matched. */
  async said(words: RegExp, what: string, timeoutMs = 30_000): Promise<string> {
    const find = (): string | undefined => words.exec(JSON.stringify(this.#drive.thread(CHANNEL, this.ts)))?.[0];
    return this.#drive.waitFor(find, { timeoutMs, what });
  }

  phase(wanted: Phase, timeoutMs = 30_000): Promise<OperationView> {
    return this.anyPhase([wanted], timeoutMs);
  }

  /** Waits for one of some phases; the workflow is asked every 50 ms. */
  anyPhase(wanted: readonly Phase[], timeoutMs = 30_000): Promise<OperationView> {
    return this.#until((phase) => wanted.includes(phase), `phase ${wanted.join(' or ')}`, timeoutMs);
  }

  /** Waits until a phase is over. */
  leave(phase: Phase, timeoutMs = 30_000): Promise<OperationView> {
    return this.#until((present) => present !== phase, `the end of phase ${phase}`, timeoutMs);
  }

  async #until(holds: (phase: Phase) => boolean, what: string, timeoutMs: number): Promise<OperationView> {
    const end = Date.now() + timeoutMs + this.#stepMs;
    for (;;) {
      const view = await this.view();
      if (holds(view.phase)) return view;
      must(Date.now() < end, `${what} did not come within ${timeoutMs} ms; it is ${view.phase}: ${view.outcome?.words ?? ''}`);
      await setTimeout(50);
    }
  }

  /** The outcome; an operation that does not end is told with the phase that it is in. */
  async result(timeoutMs = 160_000 + MOST_STEPS * this.#stepMs): Promise<Outcome> {
    const late = new AbortController();
    const over = (this.handle.result() as Promise<Outcome>).finally(() => late.abort());
    const waited = setTimeout(timeoutMs, undefined, { signal: late.signal }).then(async () => {
      const view = await this.view();
      throw new StoryBroken(`the operation did not end within ${timeoutMs} ms; it is ${view.phase}: ${JSON.stringify(view)}`);
    });
    waited.catch(() => undefined);
    return Promise.race([over, waited]);
  }
}
