import type { DropEvidence } from '../../src/domain/evidence.ts';
import type { Endpoint, Flow } from '../clients/hubble/flow.ts';
import { millisecondsOf } from '../clients/hubble/flow.ts';
import type { Sides } from './sides.ts';

/** Tells a drop once per (source, destination, port, reason) and window: one denied connection is dropped many times over. */
export interface DropReader {
  read(flow: Flow, seenAt: number): DropEvidence | undefined;
}

/** Width of a window (ms of event time). */
export const DROP_WINDOW_MS = 10_000;
/** Cilium's monitor event type of a drop; a policy verdict that comes with it is not a second drop. */
const DROP = 1;
const MOST = 10_000;

export function createDropReader(sides: Sides): DropReader {
  const told = new Set<string>();
  return {
    read(flow, seenAt) {
      if (flow.event_type?.type !== DROP) return undefined;
      const from = ends(flow.source, flow.IP?.source);
      const to = ends(flow.destination, flow.IP?.destination);
      const reached = sides.of({ pod: to.pod, address: flow.IP?.destination });
      const side = reached ?? sides.of({ pod: from.pod, address: flow.IP?.source });
      if (!side) return undefined;
      const peer = reached ? from.name : to.name;
      const at = millisecondsOf(flow.time);
      const port = (flow.l4?.TCP ?? flow.l4?.UDP ?? flow.l4?.SCTP)?.destination_port ?? 0;
      const reason = flow.drop_reason_desc ?? 'DROP_REASON_UNKNOWN';
      const id = `drop/${from.name}/${to.name}/${port}/${reason}/${Math.floor(at / DROP_WINDOW_MS)}`;
      if (told.has(id)) return undefined;
      told.add(id);
      if (told.size > MOST) told.delete(told.values().next().value ?? '');
      return { kind: 'drop', at, seenAt, side, source: from.name, destination: to.name, port, reason, id, peer };
    },
  };
}

/** A pod by its name, else what is reserved by its word, else an address. */
function ends(end: Endpoint | undefined, address = ''): { readonly name: string; readonly pod?: string } {
  if (end?.pod_name) {
    const pod = `${end.namespace ?? ''}/${end.pod_name}`;
    return { name: pod, pod };
  }
  const reserved = end?.labels?.find((label) => label.startsWith('reserved:'))?.slice('reserved:'.length);
  // Everybody outside is `world`; which of them it was says the address.
  return { name: reserved === undefined || reserved === 'world' ? address : reserved };
}
