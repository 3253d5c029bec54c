/** Steady open-loop load: requests arrive as a Poisson process, whether or not earlier ones were answered, up to a bound in flight. */
import { Agent, request } from 'node:http';
import type { Random } from '../random.ts';

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
  readonly url: string;
  readonly requestsPerSecond: number;
  readonly maxInFlight: number;
  /** How long a client waits for an answer, in milliseconds. */
  readonly patienceMs: number;
  readonly random: Random;
  readonly now: () => number;
}

const paths = ['/', '/items', '/items/1', '/checkout', '/search?q=shoes'];

/** Starts the load; `stop` ends it and its connections. */
export const startLoad = (options: LoadOptions): Load => {
  const agent = new Agent({ keepAlive: true, maxSockets: options.maxInFlight });
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
    const path = paths[Math.floor(options.random() * paths.length)] ?? '/';
    const headers = { host: 'backend.example.com', 'user-agent': 'demo-frontend' };
    const outgoing = request(new URL(path, options.url), { agent, headers, timeout: options.patienceMs }, (response) => {
      counts.answered += 1;
      response.resume();
    });
    outgoing.on('timeout', () => outgoing.destroy(new Error('no answer in time')));
    outgoing.on('error', () => {
      counts.failed += 1;
    });
    outgoing.on('close', () => {
      inFlight -= 1;
    });
    outgoing.end();
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
      agent.destroy();
    },
  };
};
