/**
 * Connections that live. While the rules allow them they give no verdicts, only a trace each aggregation interval; their packets are checked all the
 * same, so new rules break them (facts: verdicts "if drop or if allow for CT_NEW").
 */
import { refusalFlows, traceFlows } from './connection-flows.ts';
import type { Connection } from './decision.ts';
import { connects, whyOf } from './decision.ts';
import type { Wire } from './wire.ts';

export interface Live {
  readonly connection: Connection;
  /** Sends something: false when an end drops it. What is dropped is sent again for a while, as TCP does. */
  packet(): boolean;
  close(): void;
}

export interface Conntrack {
  track(connection: Connection, name: string): Live;
  readonly size: number;
  stop(): void;
}

// `monitor-aggregation-interval` of cilium-config: one trace per connection and direction in this time.
const traceEveryMs = 5_000;
// Linux' first retransmission timeout is 200 ms on a fast path, doubled each time; after these five an application gives up.
const againAfterMs = [200, 600, 1_400, 3_000];
const mostLive = 5_000;

/** An empty table; `stop` ends its timers. */
export const createConntrack = (wire: Wire): Conntrack => {
  const live = new Set<{ readonly connection: Connection; broken: boolean }>();
  const timers = new Set<NodeJS.Timeout>();

  const traces = setInterval(() => {
    for (const { connection } of live) {
      const now = wire.fresh(connection);
      if (connects(wire.decide(now))) wire.report(traceFlows(now, 'ESTABLISHED', wire.stamp()));
    }
  }, traceEveryMs);

  const later = (ms: number, run: () => void): void => {
    const timer = setTimeout(() => {
      timers.delete(timer);
      run();
    }, ms);
    timers.add(timer);
  };

  return {
    get size() {
      return live.size;
    },
    track: (connection, name) => {
      const entry = { connection, broken: false };
      const [oldest] = live;
      // The kernel's table has a limit too; the oldest goes first there as well.
      if (live.size >= mostLive && oldest) live.delete(oldest);
      live.add(entry);
      const send = (): boolean => {
        const now = wire.fresh(connection);
        const decision = wire.decide(now);
        if (connects(decision)) {
          entry.broken = false;
          return true;
        }
        wire.report(refusalFlows(now, decision, wire.stamp()));
        if (!entry.broken) wire.record(now, { allowed: false, what: 'established', why: whyOf(decision), name });
        return false;
      };
      return {
        connection,
        packet: () => {
          if (entry.broken) return send();
          if (send()) return true;
          entry.broken = true;
          for (const ms of againAfterMs) {
            later(ms, () => {
              if (entry.broken && live.has(entry)) send();
            });
          }
          return false;
        },
        close: () => void live.delete(entry),
      };
    },
    stop: () => {
      clearInterval(traces);
      for (const timer of timers) clearTimeout(timer);
      timers.clear();
      live.clear();
    },
  };
};
