/** Somebody outside who tries one port after the other on every pod behind a Service. */
import type { Random } from '../random.ts';
import { type Connection, connects } from './decision.ts';
import type { Directory, Name } from './directory.ts';
import { podParty, worldParty } from './party.ts';
import { farewell, handshake, rejection } from './traces.ts';
import type { Wire } from './wire.ts';

export interface ScanOptions {
  /** `namespace/name` of the Service whose pods are scanned. */
  readonly to: Name;
  readonly ports: readonly number[];
  /** Milliseconds between two SYNs. */
  readonly everyMs: number;
  /** Default 203.0.113.66. */
  readonly from?: string;
}

export interface Scan {
  readonly counts: { readonly sent: number; readonly dropped: number };
  stop(): void;
}

/** Starts it: one SYN for each port of each pod in turn, never sent again. */
export function startScan(
  options: ScanOptions,
  parts: { readonly directory: Directory; readonly wire: Wire; readonly random: Random },
): Scan {
  const { directory, wire, random } = parts;
  const counts = { sent: 0, dropped: 0 };
  const source = worldParty(options.from ?? '203.0.113.66');
  let turn = 0;
  const next = (): void => {
    const pods = directory.behind(options.to);
    const pod = pods[turn % Math.max(1, pods.length)];
    const port = options.ports[Math.floor(turn / Math.max(1, pods.length)) % options.ports.length];
    turn += 1;
    if (!pod || port === undefined) return;
    const sourcePort = 32_768 + Math.floor(random() * 28_000);
    const connection: Connection = { source, destination: podParty(pod), sourcePort, port, protocol: 'TCP' };
    const decision = wire.send(connection, 'scanner', {});
    counts.sent += 1;
    if (!connects(decision)) counts.dropped += 1;
    else wire.packets(connection, pod.ports.some((one) => one.port === port) ? [...handshake, ...farewell] : rejection);
  };
  const timer = setInterval(next, options.everyMs);
  return { counts, stop: () => clearInterval(timer) };
}
