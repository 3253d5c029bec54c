/** A connection that is kept open and used now and then, as a pool does; broken by new rules, it is given up after a while and opened again. */
import { Agent } from 'node:http';
import { setTimeout as wait } from 'node:timers/promises';
import type { Caller, CallOutcome, Trip } from './caller.ts';
import type { Conntrack } from './conntrack.ts';

// An application notices that its peer is silent after about as long as a new connection would take to fail.
const givesUpMs = 5_000;

export interface HeldOptions {
  readonly caller: Caller;
  readonly conntrack: Conntrack;
  /** The trip as it is now; undefined when its source is gone. */
  readonly trip: () => Trip | undefined;
  readonly everyMs: number;
  readonly count: (outcome: CallOutcome) => void;
  readonly signal: AbortSignal;
}

/** Resolves when the signal ends it. */
export async function holdConnection(options: HeldOptions): Promise<void> {
  const { caller, everyMs, signal } = options;
  const pause = (): Promise<unknown> => wait(everyMs, undefined, { signal }).catch(() => undefined);
  while (!signal.aborted) {
    const trip = options.trip();
    const up = trip && (await caller.connect(trip));
    if (!trip || up === undefined || typeof up === 'string') {
      if (typeof up === 'string') options.count(up);
      await pause();
      continue;
    }
    const live = options.conntrack.track(up.connection, trip.name);
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    let silentSince: number | undefined;
    while (!signal.aborted) {
      if (live.packet()) {
        silentSince = undefined;
        const outcome = await caller.ask(up.connection, up.found.localPort, trip, agent);
        options.count(outcome);
        if (outcome === 'failed') break;
      } else {
        options.count('dropped');
        silentSince ??= performance.now();
        if (performance.now() - silentSince > givesUpMs) break;
      }
      await pause();
    }
    live.close();
    agent.destroy();
  }
}
