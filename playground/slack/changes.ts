// Everything that happens in the workspace, told to whoever listens: pages, waiting tests, scenarios.
import type { CallEntry } from './call-log.ts';
import type { Message } from './messages.ts';

export type Change =
  | { readonly kind: 'message'; readonly message: Message }
  | { readonly kind: 'message-gone'; readonly message: Message }
  | { readonly kind: 'views'; readonly user: string }
  | { readonly kind: 'home'; readonly user: string }
  | { readonly kind: 'call'; readonly entry: CallEntry }
  | { readonly kind: 'people' }
  | { readonly kind: 'faults' }
  | { readonly kind: 'sockets' };

export interface WaitOptions {
  readonly signal?: AbortSignal;
  /** Milliseconds; 20 s when left out. */
  readonly timeoutMs?: number;
  /** Named in the error when it never comes. */
  readonly what?: string;
}

export class Changes {
  readonly #listeners = new Set<(change: Change) => void>();

  subscribe(listener: (change: Change) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  announce(change: Change): void {
    for (const listener of this.#listeners) listener(change);
  }

  /** Resolves with the first truthy value of `probe`, asked now and after every change. Rejects on timeout or abort. */
  waitFor<T>(probe: () => T | undefined | null | false, options: WaitOptions = {}): Promise<T> {
    const timeoutMs = options.timeoutMs ?? 20_000;
    return new Promise<T>((resolve, reject) => {
      const finish = (settle: () => void): void => {
        unsubscribe();
        clearTimeout(timer);
        options.signal?.removeEventListener('abort', onAbort);
        settle();
      };
      const look = (): void => {
        try {
          const found = probe();
          if (found) finish(() => resolve(found));
        } catch (error) {
          finish(() => reject(error instanceof Error ? error : new Error(String(error))));
        }
      };
      const onAbort = (): void => finish(() => reject(options.signal?.reason ?? new Error('aborted')));
      const unsubscribe = this.subscribe(look);
      const late = `Slack playground: ${options.what ?? 'what was waited for'} did not come within ${timeoutMs} ms.`;
      const timer = setTimeout(() => finish(() => reject(new Error(late))), timeoutMs);
      options.signal?.addEventListener('abort', onAbort, { once: true });
      if (options.signal?.aborted) onAbort();
      else look();
    });
  }
}
