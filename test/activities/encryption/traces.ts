import type { Flow } from '../../../src/clients/hubble/flow.ts';

type FlagName = 'SYN' | 'ACK' | 'FIN' | 'RST' | 'PSH';

/** A trace of one connection from node-1 to node-2, as the agent of node-1 tells it. */
export function trace(at: number, flags: readonly FlagName[], { reply = false, port = 40_000, to = '10.0.2.1' } = {}): Flow {
  const ends = { source: '10.0.1.1', destination: to };
  const ports = { source_port: port, destination_port: 8080 };
  return {
    time: { seconds: Math.floor(at / 1_000), nanos: (at % 1_000) * 1e6 },
    verdict: 'FORWARDED',
    event_type: { type: 4 },
    trace_observation_point: reply ? 'TO_ENDPOINT' : 'TO_STACK',
    is_reply: { value: reply },
    IP: reply ? { source: ends.destination, destination: ends.source } : ends,
    destination: { identity: 7 },
    l4: {
      TCP: {
        ...(reply ? { source_port: ports.destination_port, destination_port: ports.source_port } : ports),
        flags: Object.fromEntries(flags.map((flag) => [flag, true])),
      },
    },
  };
}
