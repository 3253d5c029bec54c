import { condition, patched } from '@temporalio/workflow';
import { type Choice, type Decision, type Gate, refuseDecision } from '../src/domain/lifecycle/gate.ts';
import type { Answered, OperationRequest, OperationView } from '../src/domain/lifecycle/operation.ts';
import { isSamePerson } from '../src/domain/lifecycle/person.ts';
import type { Answer } from './answer.ts';
import { refusal } from './refusal.ts';
import { hasRoom } from './room.ts';
import { Telling } from './telling.ts';

/** After these the same may be asked again and again. */
const GOES_ON: readonly Choice[] = ['extend', 'adopt', 'restore'];
/** A question is shown again after this long, then after six times as long each time. */
const ASKED_AGAIN_MS = 5_000;

/** What an operation asks people, one question at a time, and what they decide. */
export abstract class Questions extends Telling {
  /** The gate that was open last, as it was when it closed. */
  lastGate: Gate | undefined;
  #gates = 0;
  #answer: Answer | undefined;

  /** Who asked: the first request and every one taken over. None of them may approve. */
  abstract readonly requests: readonly OperationRequest[];

  /** Opens a gate and waits for its answer. */
  async ask(
    gate: Omit<Gate, 'gateId' | 'openedAt' | 'expiresAt' | 'approvals'>,
    waitMs: number,
    rest: Partial<OperationView>,
    approvals: Gate['approvals'] = [],
  ): Promise<Answer> {
    const openedAt = Date.now();
    this.#answer = undefined;
    const opened: Gate = { ...gate, gateId: `g${++this.#gates}`, openedAt, expiresAt: openedAt + waitMs, approvals };
    this.record('gate', {
      gateId: opened.gateId,
      kind: gate.kind,
      stage: gate.stage,
      planHash: gate.planHash,
      quorum: gate.quorum,
      ...(gate.accepts && { accepts: gate.accepts.map((one) => ({ ...one })) }),
      expiresAt: opened.expiresAt,
    });
    this.show({ ...rest, gate: opened });
    let end: Answer | undefined;
    try {
      await this.#answered(waitMs);
      const answer: Answer = this.#answer ?? { choice: 'expired' };
      end = answer;
      if (answer.choice === 'expired') this.record('decision', { gateId: opened.gateId, choice: 'expired' });
      return answer;
    } finally {
      this.lastGate = this.view.gate;
      this.amend({ answered: answeredOf(this.lastGate ?? opened, end) });
      this.forget('gate');
    }
  }

  /**
   * Waits for the answer, and shows the question again a few times: an edit of live numbers that another worker had under way when the
   * question was asked may have come after it, and nothing but the message's buttons can answer.
   */
  async #answered(waitMs: number): Promise<void> {
    const until = Date.now() + waitMs;
    for (let pause = patched('shown-again') ? ASKED_AGAIN_MS : waitMs; ; pause *= 6) {
      const left = until - Date.now();
      if (left <= 0 || (await condition(() => this.#answer !== undefined, Math.min(pause, left)))) return;
      if (pause < left) this.show({});
    }
  }

  /** Throws why the decision does not count. */
  protected refuseDecision(decision: Decision): void {
    const own = this.requests.some(({ requester }) => isSamePerson(requester, decision.actor));
    const gate = this.#answer ? undefined : this.view.gate;
    const code = refuseDecision(gate, decision, { opId: this.view.opId, runId: this.view.runId, now: Date.now(), own });
    if (code) throw refusal(code, this.view);
    if (GOES_ON.includes(decision.choice) && !hasRoom()) throw refusal('NoRoom', this.view);
  }

  /** Takes a decision that counts. */
  protected decide(decision: Decision): { remaining: number } {
    const { gate } = this.view;
    if (!gate) throw refusal('NoGateOpen', this.view);
    const { actor, choice, reason } = decision;
    this.record('decision', { gateId: gate.gateId, planHash: gate.planHash, choice, ...(reason && { reason }) }, actor.id);
    const answer: Answer = { choice, by: actor, ...(reason && { reason }) };
    if (choice !== 'approve' && choice !== 'continue') {
      this.#answer = answer;
      return { remaining: 0 };
    }
    const by = { id: actor.id, name: actor.name, ...(actor.slack && { slackId: actor.slack.userId }) };
    const approvals = [...gate.approvals, { by, at: Date.now() }];
    const remaining = Math.max(0, gate.quorum - approvals.length);
    this.say({ kind: 'approved', by, remaining });
    if (remaining === 0) this.#answer = answer;
    this.show({ gate: { ...gate, approvals } });
    return { remaining };
  }
}

/** What the question's own message says from now on. Without an answer something else came first. */
function answeredOf({ gateId, kind, approvals }: Gate, answer: Answer | undefined): Answered {
  const agreed = answer?.choice === 'approve' || answer?.choice === 'continue';
  const by = agreed ? approvals.map((one) => one.by.name) : [answer?.by?.name].filter((name) => name !== undefined);
  const reason = answer?.reason === undefined ? {} : { reason: answer.reason };
  return { gateId, kind, choice: answer?.choice ?? 'withdrawn', by, ...reason, at: Date.now() };
}
