// What a flow says of its connection, as names.
import type { Flow } from '../../src/clients/hubble/flow.ts';

/** Whose server, and at which port. */
export function kindOf({ destination, IP, l4 }: Flow): string {
  return `${destination?.identity ?? IP?.destination}:${l4?.TCP?.destination_port}`;
}

/** The same for both directions of one connection: from the client to the server. */
export function keyOf({ IP, l4, is_reply }: Flow): string | undefined {
  const ports = l4?.TCP;
  if (!IP?.source || !IP.destination || !ports) return undefined;
  const there = `${IP.source}:${ports.source_port}`;
  const here = `${IP.destination}:${ports.destination_port}`;
  return is_reply?.value === true ? `${here} ${there}` : `${there} ${here}`;
}

/** The same record, whether it came by a stream or out of a ring. */
export function recordOf(flow: Flow, node: string): string {
  const { uuid, time, l4, is_reply } = flow;
  return uuid ?? `${bare(node)} ${time?.seconds}.${time?.nanos} ${keyOf(flow)} ${is_reply?.value} ${JSON.stringify(l4?.TCP?.flags)}`;
}

/** Agents may write a node with its cluster before it. */
export function bare(node: string): string {
  return node.slice(node.lastIndexOf('/') + 1);
}
