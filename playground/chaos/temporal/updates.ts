import { type Failure, failure, type Packed, unpack, unpackFailure } from './payload.ts';

interface Update {
  readonly answer: PromiseWithResolvers<unknown>;
  readonly name: string;
  readonly argument: unknown;
  state: 'sent' | 'accepted' | 'done';
}

/** What a workflow says of an update: refused, taken, or done. */
export interface UpdateResponse {
  readonly protocolInstanceId: string;
  readonly accepted?: object | null;
  readonly rejected?: Failure | null;
  readonly completed?: Packed | null;
}

export type UpdateAnswer = { readonly result: unknown } | { readonly refused: Failure };

/** The run has ended: nobody takes the update. */
export class RunOver extends Error {
  override readonly name = 'RunOver' as const;
}

/** The updates of one run by their ids: the same id is the same update. */
export class Updates {
  readonly #updates = new Map<string, Update>();

  known(id: string): Promise<unknown> | undefined {
    return this.#updates.get(id)?.answer.promise;
  }

  /** Remembers one that is sent. Settles with its result; rejects with its failure, or when the run ends before. */
  sent(id: string, name: string, argument: unknown): Promise<unknown> {
    const answer = Promise.withResolvers<unknown>();
    answer.promise.catch(() => undefined);
    this.#updates.set(id, { answer, name, argument, state: 'sent' });
    return answer.promise;
  }

  /** Undefined: nobody asked, or it is taken and not done yet. */
  answered({
    protocolInstanceId: id,
    rejected,
    completed,
  }: UpdateResponse): (Pick<Update, 'name' | 'argument'> & { answer: UpdateAnswer }) | undefined {
    const update = this.#updates.get(id);
    if (!update) return undefined;
    const { name, argument } = update;
    if (rejected) {
      update.answer.reject(unpackFailure(rejected));
      // A refused update is not remembered: sent again, it is asked again.
      if (update.state === 'sent') this.#updates.delete(id);
      else update.state = 'done';
      return { name, argument, answer: { refused: rejected } };
    }
    update.state = completed ? 'done' : 'accepted';
    if (!completed) return undefined;
    const result = unpack(completed);
    update.answer.resolve(result);
    return { name, argument, answer: { result } };
  }

  has(id: string): boolean {
    return this.#updates.has(id);
  }

  /** The run has ended. */
  close(): void {
    for (const { state, answer } of this.#updates.values()) {
      if (state === 'sent') answer.reject(new RunOver());
      if (state === 'accepted') answer.reject(failure('AcceptedUpdateCompletedWorkflow', 'the workflow ended before its update'));
    }
  }
}
