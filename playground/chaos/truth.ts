import type { Verification } from '../../src/audit/chain.ts';
import type { KubeObject, Route } from '../../src/clients/kubernetes/objects.ts';
import type { WatchInput, WatchResult } from '../../src/domain/lifecycle/contract.ts';
import type { Decision } from '../../src/domain/lifecycle/gate.ts';
import {
  type AuditRecord,
  type Begun,
  type OperationRequest,
  type OperationView,
  type Outcome,
  type Phase,
} from '../../src/domain/lifecycle/operation.ts';
import { parseToken, TOKEN_ANNOTATION } from '../../src/domain/lifecycle/plan.ts';
import { isWayBack } from '../../src/domain/verb.ts';
import { FreezeTruth } from './freeze-truth.ts';
import { carriedBy, isExposing, isSeen, type Lost } from './looks.ts';
import { type Asked, OperationTruth, type OwnWrite } from './operation-truth.ts';
import { PolicyTruth } from './policy-truth.ts';
import type { Happening } from './step.ts';
import type { Attempt } from './temporal/attempt.ts';
import type { Failure } from './temporal/payload.ts';
import type { WorkflowRun } from './temporal/run.ts';
import type { ServerObserver } from './temporal/server.ts';
import type { Change } from './world/api-server.ts';
import { shareOf, weightsOf } from './world/mesh.ts';
import type { World } from './world/world.ts';

/** What really happened: kept apart from everything that the product says. */
export class Truth implements ServerObserver {
  readonly world: World;
  readonly operations: OperationTruth[] = [];
  readonly requests: Asked[] = [];
  /** Broken promises of the model or of the product that no list of rules foresees: an exception where none may be. */
  readonly breakages: string[] = [];
  readonly lost: Lost[] = [];
  /** Operations whose last sentence has been looked at. */
  readonly checked = new Set<OperationTruth>();
  /** The operation whose button was pressed, by the request's id. */
  readonly pressed = new Map<string, string>();
  /** A controller that is here no more has left its word on the route. */
  hasLeftStatus = false;
  /** Another hand has deleted something. */
  deleted = false;
  readonly freezes = new FreezeTruth();
  /** When another hand changed the route last (epoch ms). */
  touchedAt = Number.NEGATIVE_INFINITY;
  /** Told when an operation is known to be in a phase: whenever one of its steps is tried. */
  met: (operation: OperationTruth) => void = () => undefined;
  readonly policy: PolicyTruth;
  /** The audit record as it is when all is over. */
  audit: { readonly verified: Verification; readonly records: readonly AuditRecord[] } | undefined;

  constructor(world: World) {
    this.world = world;
    this.policy = new PolicyTruth(world.workload);
    this.policy.isAtWork = (opId) => this.operations.some((one) => one.opId === opId && one.run.isOpen && one.ending === undefined);
    const before = world.api.changed;
    world.api.changed = (change) => {
      this.#changed(change);
      this.policy.changed(change);
      before(change);
    };
    world.temporal.observer = this;
    world.traffic.answered = (side, failed) => this.#answered(side, failed);
  }

  get now(): number {
    return this.world.time.now;
  }

  /** The canary's share as it is written now, 0..1. */
  get written(): number {
    const weights = this.world.mesh.written;
    return weights ? shareOf(weights) : 0;
  }

  get token(): string | null {
    const route = this.route;
    return route?.metadata.annotations?.[TOKEN_ANNOTATION] ?? null;
  }

  get route(): KubeObject | undefined {
    const [ref] = this.world.mesh.routes;
    return ref && this.world.api.read(ref);
  }

  /** The operation whose change is in force on the route, by its token. */
  get holder(): OperationTruth | undefined {
    return this.byToken(this.token);
  }

  byToken(token: string | null): OperationTruth | undefined {
    const opId = token === null ? undefined : parseToken(token)?.opId;
    return opId === undefined ? undefined : this.operations.findLast((one) => one.opId === opId);
  }

  /** Is the newest operation that runs in this phase? */
  newestIsIn(phase: Phase | undefined): boolean {
    if (phase === undefined) return false;
    const newest = this.operations.at(-1);
    return newest?.phase === phase && (phase === 'over' || newest.run.isOpen);
  }

  byRun(runId: string): OperationTruth | undefined {
    return this.operations.find(({ run }) => run.runId === runId);
  }

  asked(by: string, what: Happening): Asked {
    const asked: Asked = { by, what, at: this.now };
    this.requests.push(asked);
    return asked;
  }

  answered(asked: Asked, answer: string | undefined): void {
    asked.answer = answer;
    asked.answeredAt = this.now;
    asked.told = { written: this.written, token: this.token, isOpen: this.holder?.run.isOpen ?? false };
    this.freezes.heard(asked.what, answer ?? '', this.now);
  }

  broke(words: string): void {
    this.breakages.push(words);
  }

  started(run: WorkflowRun): void {
    this.operations.push(new OperationTruth(run));
  }

  broken(run: WorkflowRun, error: unknown): void {
    this.broke(`a task of ${run.workflowId} broke: ${String(error)}`);
  }

  closed(run: WorkflowRun): void {
    const operation = this.byRun(run.runId);
    if (operation) operation.closedAt = this.now;
  }

  signalled(run: WorkflowRun, name: string, argument: unknown): void {
    if (name !== 'abort') return;
    const { actor, rollback } = argument as { actor?: { id: string }; rollback?: true };
    const operation = this.byRun(run.runId);
    // Whoever rolls back what is a way back itself wants just that.
    const { verb, change } = (run.argument ?? {}) as Partial<OperationRequest>;
    if (rollback && verb !== undefined && change && isWayBack({ verb, change })) return;
    // Of what has its outcome the answer says that there was nothing to stop.
    if (operation?.ending === undefined) operation?.aborts.push({ at: this.now, by: actor?.id ?? '', phase: operation.phase });
  }

  updated(run: WorkflowRun, name: string, argument: unknown, answer: { result: unknown } | { refused: Failure }): void {
    const operation = this.byRun(run.runId);
    if (!operation || 'refused' in answer) return;
    if (name === 'begin') {
      operation.opId = (answer.result as Begun).opId;
      operation.requests.push({ ...(argument as OperationRequest), takenAt: this.now });
    }
    if (name === 'decide') operation.decisions.push({ ...(argument as Decision), at: this.now });
  }

  begun(attempt: Attempt): void {
    const operation = this.byRun(attempt.runId);
    if (!operation) return;
    const { input, type, bytes } = attempt;
    if (bytes > operation.largest.bytes) operation.largest = { type, bytes };
    if (attempt.type.endsWith('.watch'))
      operation.watches.push({ attempt, input: input as WatchInput, since: operation.writes.at(-1)?.at ?? this.now });
    const { view, records } = (input ?? {}) as { view?: OperationView; records?: readonly AuditRecord[] };
    const ending = attempt.type === 'record' && records?.find(({ kind }) => kind === 'outcome');
    if (ending) operation.recorded = ending.data['kind'] as Outcome['kind'];
    if (view && attempt.type === 'announce') operation.view = view;
    const phase = phaseOf(attempt) ?? (attempt.type === 'announce' ? view?.phase : undefined);
    if (phase !== undefined) {
      operation.phase = phase;
      this.met(operation);
    }
  }

  ended(attempt: Attempt, result: unknown): void {
    this.policy.ended(attempt, result);
    const operation = this.byRun(attempt.runId);
    if (operation && attempt.type.endsWith('.plan')) operation.planned = Math.max(operation.planned, JSON.stringify(result ?? '').length);
    const watch = operation?.watches.find((each) => each.attempt === attempt);
    if (!watch) return;
    watch.endedAt = this.now;
    if (result) watch.result = result as WatchResult;
  }

  #changed(change: Change): void {
    if (change.by.kind === 'foreign' && !change.after) this.deleted = true;
    const [ref] = this.world.mesh.routes;
    if (change.ref.kind !== 'HTTPRoute' || change.ref.name !== ref?.name || change.by.kind === 'controller') return;
    if (change.by.kind === 'foreign') {
      this.touchedAt = this.now;
      for (const operation of this.operations) if (operation.wasWritten) operation.foreign.push(change);
      return;
    }
    const share = (object: KubeObject | undefined): number => (object ? shareOf(weightsOf(object as Route)) : 0);
    const tokenOf = (object: KubeObject | undefined): string | null => object?.metadata.annotations?.[TOKEN_ANNOTATION] ?? null;
    const own = change.by.kind === 'person' ? tokenOf(change.after) : tokenOf(change.before);
    const marked = this.byToken(own);
    // Where the token was taken away it is that of the route's own verb; so it is where an undo comes once more after its token has gone back to an earlier operation.
    const isAnothers = marked !== undefined && !marked.run.isOpen && own === tokenOf(change.after);
    const running = this.operations.findLast(({ run }) => run.isOpen && run.workflowType === 'canary');
    const operation = isAnothers ? (running ?? marked) : (marked ?? running);
    const write: OwnWrite = {
      ...change,
      opId: operation?.opId,
      from: share(change.before),
      to: share(change.after),
      frozenFor: this.freezes.heldFor(this.now),
    };
    if (!operation) return this.broke('a write of meshops belongs to no operation');
    operation.before ??= change.before;
    operation.writes.push(write);
  }

  #answered(side: 'stable' | 'canary', failed: boolean): void {
    if (side !== 'canary') return;
    const operation = this.holder;
    if (!operation || !isExposing(this, operation)) return;
    operation.answered += 1;
    operation.answers.push(this.now);
    if (failed) operation.failures += 1;
    if (failed && isSeen(this)) operation.harmed += 1;
  }

  async readAudit(): Promise<void> {
    const { product } = this.world;
    this.audit = { verified: await product.audit.verify(), records: await product.records() };
  }

  /** A worker was killed. */
  workerDied(): void {
    for (const operation of this.operations) if (operation.run.isOpen) operation.outages.add('a worker was killed');
  }

  /** An agent has lost events: kept for the question what a watch may have missed. */
  lose(node: string, count: number): void {
    this.lost.push({ at: this.now, count, ...carriedBy(this, node) });
  }
}

/** The phase that a step belongs to, where it belongs to one: Slack is told of it later, or not at all while it is away. */
function phaseOf({ type, input }: Attempt): Phase | undefined {
  if (type.endsWith('.plan')) return 'planning';
  if (type.endsWith('.apply') || type.endsWith('.realised')) return 'applying';
  if (type.endsWith('.restore')) return 'restoring';
  if (type.endsWith('.watch') && (input as WatchInput).purpose === 'stage') return 'watching';
  return undefined;
}
