import type { Invariant } from './invariants/invariant.ts';
import { HARMED, overBudget } from './invariants/watch.ts';
import { canAct, isExposing, isSeen, isWatched } from './looks.ts';
import type { OperationTruth } from './operation-truth.ts';
import type { States } from './states.ts';
import type { Truth } from './truth.ts';

const EVERY_MS = 1_000;

/** Looks every second, and after every step: adds up what lasts, and asks every invariant. */
export class Monitor {
  readonly #truth: Truth;
  readonly #invariants: readonly Invariant[];
  readonly #states: States;
  found: { invariant: string; words: string } | undefined;

  constructor(truth: Truth, invariants: readonly Invariant[], states: States) {
    this.#truth = truth;
    this.#invariants = invariants;
    this.#states = states;
  }

  start(): void {
    this.#truth.met = (operation) => this.#states.meet(this.#truth, operation);
    this.#truth.world.time.every(EVERY_MS, () => {
      this.#second();
      this.found ??= this.look(false);
    });
  }

  /** The first broken promise. */
  look(atEnd: boolean): { invariant: string; words: string } | undefined {
    for (const { name, broken } of this.#invariants) {
      const words = broken(this.#truth, atEnd);
      if (words !== undefined) return { invariant: name, words };
    }
    return undefined;
  }

  /** Something was made to happen: in which states that was. */
  happened(): void {
    this.#states.visit(this.#truth);
  }

  async readAudit(): Promise<void> {
    await this.#truth.readAudit();
  }

  #second(): void {
    const { operations, world } = this.#truth;
    const { faults } = world;
    this.#states.visit(this.#truth);
    for (const operation of operations) {
      if (operation.closedAt === undefined) for (const [system, mode] of faults.present) operation.outages.add(`${system}:${mode}`);
      this.#exposed(operation);
    }
  }

  #exposed(operation: OperationTruth): void {
    const { world, now } = this.#truth;
    const { traffic } = world;
    const isInForce = isExposing(this.#truth, operation) && operation.ending !== 'completed';
    // A run that is gone is found by what the database knows of its operation.
    const canBeWatched = canAct(this.#truth, operation.run.isOpen ? ['worker', 'api'] : ['worker', 'api', 'database']);
    if (!isInForce || !canBeWatched || isWatched(operation)) operation.unwatchedSince = undefined;
    else operation.unwatchedSince ??= now;
    operation.overSince = overBudget(operation) > 0 ? (operation.overSince ?? now) : undefined;
    if (isInForce && isSeen(this.#truth) && traffic.failing.canary >= 0.5) operation.harmedSince ??= now;
    else {
      operation.harmedSince = undefined;
      operation.harmed = 0;
    }
    operation.harmedEnoughSince = operation.harmed >= HARMED ? (operation.harmedEnoughSince ?? now) : undefined;
  }
}
