import { CHANGED, type Counts, REST, sumOf, type Verdict } from '../../src/domain/judge/verdict.ts';
import type { WatchInput } from '../../src/domain/lifecycle/contract.ts';
import type { Difference } from '../../src/domain/lifecycle/contract-undo.ts';
import type { OperationView } from '../../src/domain/lifecycle/operation.ts';
import type { Log } from '../../src/log.ts';

type Live = NonNullable<OperationView['live']>;

export interface ShownDeps {
  /** Shows live numbers in the root message. Never awaited by anything that matters. */
  readonly editMessage: (view: OperationView, live: Live) => Promise<void>;
  readonly now: () => number;
  readonly log: Log;
}

/** What a watch shows in the root message while it goes on. */
export class Shown {
  readonly #deps: ShownDeps;
  readonly #input: WatchInput;
  #drift: readonly Difference[] | undefined;
  #unseen: () => string | undefined = () => undefined;
  #seenSince: number | undefined;
  #wasBlind = false;
  #editing = false;

  constructor(deps: ShownDeps, input: WatchInput) {
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
  edit(counts: Counts, word: Verdict, undoing?: Live['undoing']): void {
    const at = this.#deps.now();
    const isBlind = word.kind === 'blind';
    if (this.#wasBlind && !isBlind) this.#seenSince = at;
    if (isBlind) this.#seenSince = undefined;
    this.#wasBlind = isBlind;
    if (this.#editing) return;
    this.#editing = true;
    this.#deps
      .editMessage(this.#input.view, { ...this.#live(counts, word, at), ...(undoing && { undoing }) })
      .catch((error: unknown) => this.#deps.log.warn({ opId: this.#input.opId, err: error }, 'the live numbers were not shown'))
      .finally(() => {
        this.#editing = false;
      });
  }

  #live(heard: Counts, word: Verdict, at: number): Live {
    const counts = this.#input.guardMs === undefined ? heard : this.#sinceTheStage(heard);
    const unseen = this.#unseen();
    const changed = counts[CHANGED].requests;
    const all = changed + counts[REST].requests;
    return {
      counts,
      canaryShare: all === 0 ? 0 : changed / all,
      at,
      ...(unseen !== undefined && { unseen }),
      word: { kind: word.kind, words: word.words },
      ...(this.#seenSince !== undefined && { seenSince: this.#seenSince }),
      ...(this.#drift && { drift: this.#drift }),
    };
  }

  /** A guard goes on where the watch of its stage has ended, so its numbers do as well. */
  #sinceTheStage(counts: Counts): Counts {
    const before = this.#input.view.stages?.find(({ number }) => number === this.#input.stage.number)?.counts;
    return before ? sumOf(before, counts) : counts;
  }
}
