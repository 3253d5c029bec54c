// Switches that make Slack misbehave. All off at the start.
import type { Changes } from './changes.ts';

export interface FaultState {
  /** `refuse`: connections are refused, sockets closed. `500`: every call answers 500. */
  readonly down: false | 'refuse' | '500';
  /** Every call answers 429 with this many seconds. */
  readonly rateLimited: false | { readonly retryAfter: number; readonly methods: readonly string[] };
  /** Milliseconds added before every call is handled. */
  readonly slowMs: number;
  /** So many of the next chat.postMessage calls lose their connection after the message was stored. */
  readonly dropAfterPost: number;
  /** Block types that this workspace claims not to know. */
  readonly unknownBlocks: readonly string[];
  /** So many of the next deliveries never reach the app. */
  readonly loseDeliveries: number;
}

const none: FaultState = { down: false, rateLimited: false, slowMs: 0, dropAfterPost: 0, unknownBlocks: [], loseDeliveries: 0 };

export class Faults {
  readonly #changes: Changes;
  readonly #onDown: (down: FaultState['down']) => Promise<void>;
  #state = none;

  constructor(changes: Changes, onDown: (down: FaultState['down']) => Promise<void>) {
    this.#changes = changes;
    this.#onDown = onDown;
  }

  get state(): FaultState {
    return this.#state;
  }

  /** Slack is gone (`refuse`), broken (`500`) or back (false). Resolves once it is so. */
  async down(how: FaultState['down']): Promise<void> {
    this.#set({ down: how });
    await this.#onDown(how);
  }

  /** A storm of 429 on these methods (all when empty), with Retry-After in seconds; `false` ends it. */
  rateLimited(retryAfter: number | false, methods: readonly string[] = []): void {
    this.#set({ rateLimited: retryAfter === false ? false : { retryAfter, methods } });
  }

  slow(ms: number): void {
    this.#set({ slowMs: ms });
  }

  dropAfterPost(times = 1): void {
    this.#set({ dropAfterPost: times });
  }

  unknownBlocks(types: readonly string[]): void {
    this.#set({ unknownBlocks: types });
  }

  loseDeliveries(times = 1): void {
    this.#set({ loseDeliveries: times });
  }

  /** Everything well again. */
  async clear(): Promise<void> {
    const wasDown = this.#state.down;
    this.#set(none);
    if (wasDown) await this.#onDown(false);
  }

  /** Uses up one of the counted faults; true if it strikes. */
  strikes(fault: 'dropAfterPost' | 'loseDeliveries'): boolean {
    const left = this.#state[fault];
    if (left > 0) this.#set({ [fault]: left - 1 });
    return left > 0;
  }

  #set(part: Partial<FaultState>): void {
    this.#state = { ...this.#state, ...part };
    this.#changes.announce({ kind: 'faults' });
  }
}
