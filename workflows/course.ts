import { CancellationScope, condition, patched, setHandler, workflowInfo } from '@temporalio/workflow';
import type { Doubt } from '../src/domain/judge/verdict.ts';
import type { Actor } from '../src/domain/lifecycle/actor.ts';
import type { RestoreInput } from '../src/domain/lifecycle/contract.ts';
import type { WatchInput, WatchResult } from '../src/domain/lifecycle/contract-watch.ts';
import { type Approver, type Consent, refuseRelease } from '../src/domain/lifecycle/gate.ts';
import { type OperationRequest, type OperationView } from '../src/domain/lifecycle/operation.ts';
import { isSamePerson } from '../src/domain/lifecycle/person.ts';
import type { Fields, Original, Plan, PlannedStage } from '../src/domain/lifecycle/plan.ts';
import { recordOf, takesBack } from '../src/domain/verb.ts';
import { CarriedEvidence } from './evidence.ts';
import { Guards, type WatchOptions } from './guards.ts';
import { type AbortBy, abort, begin, decide, describe, release } from './messages.ts';
import { Questions } from './questions.ts';
import { beginRecord, ownId } from './records.ts';
import { refusal } from './refusal.ts';
import { hasRoom } from './room.ts';
import { Shares } from './shares.ts';
import { stepsOf } from './steps.ts';

/** A run that never gets an accepted `begin` ends itself: whoever sent the command was told that it is not confirmed. */
const BEGIN_WITHIN_MS = 10_000;

/** How many people give up an undo. */
const RELEASE_QUORUM = 2;

/** One watch of one stage: `watch` of guard.ts, which needs the course itself. */
type Watch = (
  course: Course,
  purpose: WatchInput['purpose'],
  stage: PlannedStage,
  durationMs: number,
  options: WatchOptions,
) => Promise<WatchResult>;

/** The state of one running operation, its messages, and what it tells the outside. The lifecycle itself is in operation.ts. */
export class Course extends Questions {
  readonly opId: string;
  readonly step: ReturnType<typeof stepsOf>;
  /** Everything forward happens in this scope; `abort` cancels it, the undo runs outside. */
  readonly forward = new CancellationScope();
  /** Who asked: the first request and every one taken over. None of them may approve. */
  readonly requests: OperationRequest[];
  /** Asked for while the afterwatch runs: the next step of this operation. */
  next: OperationRequest | undefined;
  /** The stage whose change is in force now. */
  exposed: PlannedStage | undefined;
  plan: Plan | undefined;
  /** It is over; only what there is now is still read. */
  concluding = false;
  /** All is done, and what there is now is being read back. */
  lookingBack = false;
  /** It only lowers: nothing that it has written is ever undone. */
  keeps = false;
  /** What was there before the operation, in the words of its first plan. */
  before: string | undefined;
  /** What is asked for now, agreed to or not. */
  asked: Plan | undefined;
  /** How often people have stopped it. */
  stopped = 0;
  aborted: { readonly actor?: Actor; readonly reason?: string; readonly rollback?: true } | undefined;
  originals: readonly Original[] = [];
  readonly written: { stage: number; writes: PlannedStage['writes'] }[] = [];
  readonly tokens: Record<string, string | null> = {};
  /** uid of each object that this operation has made, by key. */
  readonly made: Record<string, string> = {};
  /** What another hand wrote and people adopted, by key: the next stage that writes such a field begins from it. */
  readonly adoptions: Record<string, Fields> = {};
  /** Doubts that people have accepted, by key. */
  readonly accepted: string[] = [];
  /** Who has agreed to the stage that is written next. */
  consents: readonly Consent[] = [];
  /** How many of each are accepted in one watch, by key. */
  readonly acceptedMost: Record<string, number> = {};
  readonly shares = new Shares();
  /** What the watches of the stages have found so far, as odds. */
  readonly evidence = new CarriedEvidence();
  readonly guards: Guards;
  /** Failures above objective x requests that the watches have counted: the budget is that of the whole operation. */
  spent = 0;
  firstWriteAt = Date.now();
  /** What was shown of the step that is in force, while people are asked for a further one. */
  inForce: Partial<OperationView> = {};
  /** Everything exposed has a guard, whatever else goes on. An operation that began before this was so goes on as it began. */
  isGuarded = false;
  /** Added to the numbers of the plan's stages: what was written because of drift has taken some, and numbers only rise. */
  offset = 0;
  /** Drift that had gone again when it was looked at. */
  unasked = 0;
  /** What another hand wrote was adopted: the next plan starts from it. */
  adopted = false;
  /** Who may release an undo that keeps failing; undefined as long as it does not. An empty list: no rule names anybody. */
  releasers: readonly Approver[] | undefined;

  #begun = false;

  constructor(request: OperationRequest, watch: Watch) {
    const { workflowId, runId } = workflowInfo();
    const { verb, target, text, reason, requester } = request;
    const { recovery } = request;
    const opId = recovery?.opId ?? request.opId ?? ownId(verb);
    const start = { phase: 'planning', startedAt: Date.now(), explanation: [], watched: [], stages: [] } as const;
    const view = {
      opId,
      workflowId,
      runId,
      verb,
      target,
      text,
      requester,
      ...(reason && { reason }),
      ...emergencyIn(request),
      ...start,
      ...recovery?.view,
    };
    const isBack = recovery !== undefined || takesBack(request, undefined);
    super({ ...view, ...(isBack && { takesBack: true }) }, request.channel.channelId);
    this.opId = opId;
    this.requests = [request];
    this.step = stepsOf(verb, request.settings);
    this.guards = new Guards(this, (stage, durationMs, options) => watch(this, 'after', stage, durationMs, options));
  }

  /** Highest stage number that any plan of this operation has brought into force or may have: numbers are never used twice. */
  get stagesUsed(): number {
    return Math.max(0, ...this.written.map(({ stage }) => stage));
  }

  get request(): OperationRequest {
    return this.requests.at(-1) as OperationRequest;
  }

  /** Sets the handlers and waits for the accepted `begin`; false when none came in time. */
  async begun(): Promise<boolean> {
    this.isGuarded = patched('guards');
    setHandler(describe, () => this.view);
    setHandler(begin, (request) => this.#begin(request), { validator: (request) => this.#refuseBegin(request) });
    setHandler(decide, (decision) => this.decide(decision), { validator: (decision) => this.refuseDecision(decision) });
    setHandler(abort, (by) => this.#abort(by));
    setHandler(release, (by) => this.#release(by), { validator: ({ actor }) => this.#refuseRelease(actor) });
    return condition(() => this.#begun, BEGIN_WITHIN_MS);
  }

  /** A plan is shown and asked for. */
  planned(plan: Plan): void {
    this.asked = plan;
    this.before ??= plan.from;
    if (this.view.takesBack && !takesBack(this.request, plan)) this.forget('takesBack');
  }

  #abort({ actor, reason, rollback }: AbortBy): void {
    if (!this.#begun || this.concluding || this.view.phase === 'restoring' || this.view.phase === 'over') return;
    if (this.lookingBack && !patched('abort-counts-to-the-end')) return;
    const choice = rollback ? 'rollback' : 'abort';
    // A way back is under way: to take that back would put in force again what it takes away.
    const isKept = rollback && takesBack(this.request, this.asked);
    this.record('decision', { choice, ...(isKept && { ignored: 'already being rolled back' }), ...(reason && { reason }) }, actor.id);
    if (isKept) return;
    this.stopped += 1;
    this.aborted = { actor, ...(reason && { reason }), ...(rollback && { rollback }) };
    this.forward.cancel();
  }

  /** People accept drops: the fuse no longer acts on them, and whoever approves next sees them. */
  accept(doubts: readonly Doubt[]): void {
    this.accepted.push(...doubts.map(({ key }) => key));
    for (const { key, most } of doubts) if (most !== undefined) this.acceptedMost[key] = most;
    const others = (this.view.accepted ?? []).filter(({ key }) => !doubts.some((one) => one.key === key));
    this.show({ accepted: [...others, ...doubts] });
  }

  /** What a fuse or the undo puts back, and what entitles it to. */
  restoreInput(holder: RestoreInput['holder'], harm: boolean): RestoreInput {
    return { opId: this.opId, originals: this.originals, written: this.written, holder, ...(harm && { harm }) };
  }

  /** Two people have given up the undo. */
  get released(): boolean {
    return (this.view.releases ?? []).length >= RELEASE_QUORUM;
  }

  #refuseRelease(actor: Actor): void {
    const own = this.requests.some(({ requester }) => isSamePerson(requester, actor));
    const { undoFailing, releases = [] } = this.view;
    const code = undoFailing ? refuseRelease(actor, { releasers: this.releasers ?? [], releases, own }) : 'NotReleasable';
    if (code) throw refusal(code, this.view);
  }

  #release({ actor, reason }: { readonly actor: Actor; readonly reason?: string }): { remaining: number } {
    this.record('decision', { choice: 'release', ...(reason && { reason }) }, actor.id);
    const by = { id: actor.id, name: actor.name, ...(actor.slack && { slackId: actor.slack.userId }) };
    const releases = [...(this.view.releases ?? []), { by, at: Date.now() }];
    this.show({ releases });
    return { remaining: Math.max(0, RELEASE_QUORUM - releases.length) };
  }

  #refuseBegin(request: OperationRequest): void {
    const { phase, stages, stage } = { ...this.view, stage: this.exposed };
    // What a lost run has left is not put back any less for being late, or for a clock that is wrong.
    if (!request.recovery && Date.now() > request.validUntil) throw refusal('RequestExpired');
    if (!this.#begun && request.requestId === this.request.requestId) return;
    if (phase === 'over' || phase === 'restoring') throw refusal('Ending', this.view);
    const raises = stage !== undefined && recordOf(request.verb).mayContinue(request.change, stage, this.request.change);
    const free = phase === 'afterwatch' && !this.next && stages.length > 0 && request.verb === this.view.verb;
    if (!raises || !free) throw refusal('Busy', this.view);
    if (!hasRoom()) throw refusal('NoRoom', this.view);
  }

  #begin(request: OperationRequest): { opId: string; runId: string; continued: boolean } {
    const continued = this.#begun;
    if (continued) this.next = request;
    this.#begun = true;
    const { kind, data, actor } = beginRecord(request, this.view.runId, continued);
    this.record(kind, data, actor);
    return { opId: this.opId, runId: this.view.runId, continued };
  }
}

/** What is shown of it. */
export function emergencyIn({ emergency }: OperationRequest): Pick<OperationView, 'emergency'> {
  return emergency ? { emergency: { reason: emergency.reason } } : {};
}
