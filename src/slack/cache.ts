import { WebAPIPlatformError, WebAPIRateLimitedError } from '@slack/web-api';

export interface CacheOptions {
  /** An answer that is younger counts. Milliseconds. */
  readonly maxAgeMs: number;
  /** Where Slack does not answer, or may not be asked now, an answer that is younger than this counts too. Milliseconds. */
  readonly staleMs?: number;
  /** False: Slack may not be asked for this now. */
  readonly mayAsk?: () => boolean;
}

/** Answers of Slack kept for a short time, so that a busy channel does not use up the workspace's rate. */
export interface Cache<T> {
  /** Callers at the same moment share one call. Errors are never kept. Rejects with Slack's error, or with `NotAsked`. */
  get(key: string, options: CacheOptions): Promise<T>;
  /** The kept answer when it is younger than `maxAgeMs`, without asking. */
  peek(key: string, maxAgeMs: number): T | undefined;
}

/** Slack was not asked: it had said how long to wait, or what may be asked of it is used up. */
export class NotAsked extends Error {
  override readonly name = 'NotAsked' as const;
}

const MOST_ENTRIES = 5_000;
/** A wait that is longer than this is not believed. */
const LONGEST_REST_MS = 120_000;

/** `onLimited` hears of each answer 429, with the wait that Slack asks for. */
export function createCache<T>(read: (key: string) => Promise<T>, now: () => number, onLimited: (ms: number) => void = () => {}): Cache<T> {
  const kept = new Map<string, { readonly at: number; readonly value: T }>();
  const asking = new Map<string, Promise<T>>();
  let restsUntil = 0;
  const ask = async (key: string): Promise<T> => {
    // Taken before the call: what is learned is at least as old as the question.
    const at = now();
    try {
      const value = await read(key);
      kept.delete(key);
      kept.set(key, { at, value });
      const oldest = kept.size > MOST_ENTRIES ? kept.keys().next().value : undefined;
      if (oldest !== undefined) kept.delete(oldest);
      return value;
    } catch (error) {
      if (error instanceof WebAPIRateLimitedError) {
        const waitMs = Math.min(LONGEST_REST_MS, error.retryAfter * 1000);
        restsUntil = Math.max(restsUntil, now() + waitMs);
        onLimited(waitMs);
      }
      throw error;
    }
  };
  const peek = (key: string, maxAgeMs: number): T | undefined => {
    const known = kept.get(key);
    return known && now() - known.at < maxAgeMs ? known.value : undefined;
  };
  const asked = (key: string, { maxAgeMs, mayAsk = () => true }: CacheOptions): Promise<T> => {
    const shared = asking.get(key);
    // A fresh answer must not be one whose question was asked before the caller came.
    if (shared && maxAgeMs > 0) return shared;
    if (now() < restsUntil || !mayAsk()) return Promise.reject(new NotAsked('Slack may not be asked now.'));
    const mine = ask(key).finally(() => {
      if (asking.get(key) === mine) asking.delete(key);
    });
    asking.set(key, mine);
    return mine;
  };
  return {
    peek,
    get: async (key, options) => {
      const known = peek(key, options.maxAgeMs);
      if (known !== undefined) return known;
      try {
        return await asked(key, options);
      } catch (error) {
        const stale = peek(key, options.staleMs ?? 0);
        // A refusal of Slack is an answer, and newer than what is kept.
        if (stale === undefined || error instanceof WebAPIPlatformError) throw error;
        return stale;
      }
    },
  };
}
