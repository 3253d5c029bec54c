import { setTimeout as sleep, setImmediate as turn } from 'node:timers/promises';
import { type NodeStreamDeps, RELAY } from './stream-listener.ts';
import { StreamState } from './stream-state.ts';

/** The agent is asked this often whether it is there: a silent stream and a dead one look alike. */
const PROBE_EVERY_MS = 1_000;
const PROBE_WITHIN_MS = 1_000;
/** So many questions in a row without an answer, and the stream is opened anew. Until then what it holds may still come. */
const MOST_MISSED = 3;
const RETRY_MS = [50, 200, 500] as const;

/** Follows one node for as long as the signal lasts; reconnects and resumes. Never throws. */
export async function followNode(deps: NodeStreamDeps): Promise<void> {
  const state = new StreamState(deps);
  for (let failures = 0; !deps.signal.aborted; ) {
    try {
      await deps.observer.status(PROBE_WITHIN_MS);
      if (deps.signal.aborted) return;
      state.opened();
      failures = 0;
      state.broken(await streamOnce(deps, state));
    } catch (error) {
      state.broken(error instanceof Error ? error.message : String(error));
    }
    const wait = RETRY_MS[Math.min(failures++, RETRY_MS.length - 1)] ?? 500;
    await sleep(wait, undefined, { signal: deps.signal }).catch(() => undefined);
  }
}

/** One stream until it ends, by itself or because a probe was not answered. Resolves with the reason. */
async function streamOnce({ node, observer, signal, now, whitelist }: NodeStreamDeps, state: StreamState): Promise<string> {
  const over = new AbortController();
  const stop = AbortSignal.any([signal, over.signal]);
  const { promise, resolve } = Promise.withResolvers<string>();
  const stream = observer.flows(
    { follow: true, ...state.from(), ...(whitelist && { whitelist }) },
    (response) => state.heard(response),
    (reason) => resolve(reason ?? 'the agent ended the stream'),
  );
  const aborted = (): void => resolve('stopped');
  signal.addEventListener('abort', aborted, { once: true });
  const probing = (async () => {
    for (let missed = 0; !stop.aborted; ) {
      await sleep(PROBE_EVERY_MS, undefined, { signal: stop });
      const askedAt = now();
      // An agent whose records keep coming is there; Relay also says whom it does not reach.
      if (node !== RELAY && state.heardSince(askedAt - PROBE_EVERY_MS)) {
        missed = 0;
        continue;
      }
      try {
        const { unavailable_nodes } = await observer.status(PROBE_WITHIN_MS);
        missed = 0;
        state.alive();
        state.unreached(unavailable_nodes ?? []);
      } catch (error) {
        // The deadline may have passed while this process was away: what has come meanwhile is read before anything is concluded.
        await turn();
        if (stop.aborted || state.heardSince(askedAt)) continue;
        missed += 1;
        if (missed >= MOST_MISSED) throw error;
        state.silent(error instanceof Error ? error.message : String(error));
      }
    }
  })().catch((error: unknown) => resolve(error instanceof Error ? error.message : String(error)));
  try {
    return await promise;
  } finally {
    signal.removeEventListener('abort', aborted);
    over.abort();
    stream.cancel();
    await probing;
  }
}
