/**
 * Connections that live. While the rules allow them they give no verdicts, only a trace each aggregation interval; their packets are checked all the
 * same, so new rules break them (facts: verdicts "if drop or if allow for CT_NEW").
 */
import { refusalFlows } from './connection-flows.ts';
import { type Connection, connects, whyOf } from './decision.ts';
import { exchange, traceFlows } from './traces.ts';
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
// After a packet that was lost: a tail loss probe, then Linux' first retransmission timeout of 200 ms, doubled each time.
const againAfterMs = [210, 420, 855, 1_690, 3_350, 6_780, 13_430];
const mostLive = 5_000;
const [sent] = exchange;

/** An empty table; `stop` ends its timers. */
export function createConntrack(wire: Wire): Conntrack {
  const live = new Set<{ readonly connection: Connection; broken: boolean }>();
  const timers = new Set<NodeJS.Timeout>();

  const traces = setInterval(() => {
    for (const { connection } of live) {
      const now = wire.fresh(connection);
      const decision = wire.decide(now);
      if (connects(decision)) wire.packets(now, exchange);
      // What the other end's node drops has left this one.
      else if (decision.egress?.verdict !== 'DROPPED') wire.report(traceFlows(now, sent, wire.stamp()).leaving);
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
      wire.packets(connection, exchange);
      const send = (): boolean => {
        const now = wire.fresh(connection);
        const decision = wire.decide(now);
        if (connects(decision)) {
          entry.broken = false;
          return true;
        }
        wire.report(refusalFlows(now, decision, wire.stamp(), sent.flags));
        if (!entry.broken) wire.record(now, { allowed: false, what: 'established', why: whyOf(decision), name });
        return false;
      };
      return {
        connection,
        packet: () => {
          // What is written meanwhile waits with what was lost: the kernel sends nothing new before that is acknowledged.
          if (entry.broken) return false;
          if (send()) return true;
          entry.broken = true;
          for (const ms of againAfterMs) {
            later(ms, () => {
              // Also once it is closed: the kernel goes on with what nobody has acknowledged.
              if (entry.broken) send();
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
}
