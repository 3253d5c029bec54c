/** Steady open-loop load: requests arrive as a Poisson process, whether or not earlier ones were answered, up to a bound in flight. */
import type { Random } from '../random.ts';
import type { Sender } from './load-target.ts';

export interface LoadCounts {
  readonly sent: number;
  readonly answered: number;
  /** No response: reset, refused or given up after the client's patience. */
  readonly failed: number;
  /** Not sent, since too many were in flight. */
  readonly shed: number;
}

export interface Load {
  readonly counts: LoadCounts;
  /** Requests per second from now on; 0 pauses. */
  setRate(requestsPerSecond: number): void;
  stop(): void;
}

export interface LoadOptions {
  readonly sender: Sender;
  readonly requestsPerSecond: number;
  readonly maxInFlight: number;
  readonly random: Random;
  readonly now: () => number;
}

/** Starts the load; `stop` ends it and its connections. */
export function startLoad(options: LoadOptions): Load {
  const { sender } = options;
  const counts = { sent: 0, answered: 0, failed: 0, shed: 0 };
  let rate = options.requestsPerSecond;
  let inFlight = 0;
  let due = 0;
  let timer: NodeJS.Timeout | undefined;

  const send = (): void => {
    if (inFlight >= options.maxInFlight) {
      counts.shed += 1;
      return;
    }
    inFlight += 1;
    counts.sent += 1;
    sender.send((answered) => {
      inFlight -= 1;
      counts[answered ? 'answered' : 'failed'] += 1;
    });
  };

  // Each gap is exponential; arrivals that are due by now go out together, so that a late timer does not lower the rate.
  const schedule = (): void => {
    if (rate <= 0) return;
    const now = options.now();
    // After a long stall, start afresh rather than send a burst of everything missed.
    if (now - due > 1_000) due = now;
    while (due <= now) {
      send();
      due += (-Math.log(1 - options.random()) / rate) * 1_000;
    }
    timer = setTimeout(schedule, Math.max(1, due - now));
  };

  due = options.now();
  schedule();
  return {
    get counts() {
      return { ...counts };
    },
    setRate: (requestsPerSecond) => {
      rate = requestsPerSecond;
      clearTimeout(timer);
      due = options.now();
      schedule();
    },
    stop: () => {
      rate = 0;
      clearTimeout(timer);
      sender.close();
    },
  };
}
