import type { OperationView } from '../../src/domain/operation.ts';
import type { Counts, SideCounts, Verdict } from '../../src/domain/verdict.ts';
import type { Difference, WatchInput } from '../contract.ts';
import type { WatchDeps } from './run.ts';

type Live = NonNullable<OperationView['live']>;

/** What a watch shows in the root message while it goes on. */
export class Shown {
  readonly #deps: Pick<WatchDeps, 'editMessage' | 'now' | 'log'>;
  readonly #input: WatchInput;
  #drift: readonly Difference[] | undefined;
  #unseen: () => string | undefined = () => undefined;
  #seenSince: number | undefined;
  #wasBlind = false;
  #editing = false;

  constructor(deps: Pick<WatchDeps, 'editMessage' | 'now' | 'log'>, input: WatchInput) {
    this.#deps = deps;
    this.#input = input;
  }

  /** What differs now from what the stages wrote. */
  readonly differs = (differences: readonly Difference[]): void => {
    this.#drift = differences;
  };

  /** Where to ask what is not seen and does not count. */
  readonly remarks = (unseen: () => string | undefined): void => {
    this.#unseen = unseen;
  };

  /** Edits the message, unless an edit is under way. `word`: what the watch would say if it ended now. */
  edit(counts: Counts, word: Verdict): void {
    const at = this.#deps.now();
    const isBlind = word.kind === 'blind';
    if (this.#wasBlind && !isBlind) this.#seenSince = at;
    if (isBlind) this.#seenSince = undefined;
    this.#wasBlind = isBlind;
    if (this.#editing) return;
    this.#editing = true;
    this.#deps
      .editMessage(this.#input.view, this.#live(counts, word, at))
      .catch((error: unknown) => this.#deps.log.warn({ opId: this.#input.opId, err: error }, 'the live numbers were not shown'))
      .finally(() => {
        this.#editing = false;
      });
  }

  #live(heard: Counts, word: Verdict, at: number): Live {
    const counts = this.#input.guardMs === undefined ? heard : this.#sinceTheStage(heard);
    const unseen = this.#unseen();
    const all = counts.canary.requests + counts.stable.requests;
    return {
      counts,
      canaryShare: all === 0 ? 0 : counts.canary.requests / all,
      at,
      ...(unseen !== undefined && { unseen }),
      word: { kind: word.kind, words: word.words },
      ...(this.#seenSince !== undefined && { seenSince: this.#seenSince }),
      ...(this.#drift && { drift: this.#drift }),
    };
  }

  /** A guard goes on where the watch of its stage has ended, so its numbers do as well. */
  #sinceTheStage({ canary, stable }: Counts): Counts {
    const before = this.#input.view.stages?.find(({ number }) => number === this.#input.stage.number)?.counts;
    return before ? { canary: sum(before.canary, canary), stable: sum(before.stable, stable) } : { canary, stable };
  }
}

function sum(a: SideCounts, b: SideCounts): SideCounts {
  return { requests: a.requests + b.requests, failures: a.failures + b.failures };
}
