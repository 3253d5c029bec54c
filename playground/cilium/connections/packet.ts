/** What every flow of a connection says, whatever happened to the packet. */
import { type Flow, saidBy, timestamp } from '../flows/flow.ts';
import type { Connection } from './decision.ts';
import { endOf, type Party } from './party.ts';

/** Flags of a TCP packet; of no meaning for a datagram. */
export type Flags = readonly ('SYN' | 'ACK' | 'PSH' | 'FIN' | 'RST')[];

/** Ports and flags of a packet of the connection, from the client to the server or back. */
export function layer4({ protocol, sourcePort, port }: Connection, flags: Flags, isReply = false): Flow['l4'] {
  const [source_port, destination_port] = isReply ? [port, sourcePort] : [sourcePort, port];
  const ports = { source_port, destination_port };
  return protocol === 'UDP' ? { UDP: ports } : { TCP: { ...ports, flags: Object.fromEntries(flags.map((flag) => [flag, true])) } };
}

/** As Hubble sums it up. */
const summaryOf = ({ protocol }: Connection, flags: Flags): string => (protocol === 'UDP' ? 'UDP' : `TCP Flags: ${flags.join(', ')}`);

/** A flow and the node whose agent reports it. */
export interface Reported {
  readonly node: string;
  readonly flow: Flow;
}

/** When it happened (Unix ms), and a source of ids. */
export interface Stamp {
  readonly at: number;
  readonly uuid: () => string;
}

/** An address of a network card, always the same for a party. */
function hardware(party: Party): string {
  return ['0a', '58', ...party.ip.split('.').map((part) => Number(part).toString(16).padStart(2, '0'))].join(':');
}

/** What every flow of a connection says, as `node` reports it. */
export function connectionBase(connection: Connection, node: string, { at, uuid }: Stamp, flags: Flags = ['SYN']) {
  return {
    time: timestamp(at),
    uuid: uuid(),
    ...saidBy(node),
    ethernet: { source: hardware(connection.source), destination: hardware(connection.destination) },
    IP: { source: connection.source.ip, destination: connection.destination.ip, ipVersion: 'IPv4' as const },
    l4: layer4(connection, flags),
    source: endOf(connection.source, node),
    destination: endOf(connection.destination, node),
    ...(connection.destination.names?.length ? { destination_names: connection.destination.names } : {}),
    Type: 'L3_L4' as const,
    Summary: summaryOf(connection, flags),
  };
}
