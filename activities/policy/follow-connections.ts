import type { Flows } from '../../src/clients/hubble/flows.ts';
import { toldNotHeld } from '../../src/clients/hubble/not-held.ts';
import type { FlowFollower } from '../../src/clients/hubble/stream-listener.ts';
import type { Cluster } from '../../src/clients/kubernetes/cluster.ts';
import type { Evidence } from '../../src/domain/judge/evidence.ts';
import type { WatchInput } from '../../src/domain/lifecycle/contract.ts';
import { PolicyDetails } from '../../src/domain/policy/stages/details.ts';
import { Carriers } from '../watch/carriers.ts';
import type { Hear, OpenOptions } from '../watch/watching.ts';
import type { createConnectionReader } from './connections.ts';
import { judgedFrom } from './context.ts';
import { Places, type Selected } from './places.ts';

interface Following extends OpenOptions {
  readonly reader: ReturnType<typeof createConnectionReader>;
  readonly selected: Selected;
}

interface Sources {
  readonly cluster: Cluster;
  readonly flows: Flows;
  readonly now: () => number;
}

/**
 * What the rings still hold comes first: who was let through in the recorded window, and what was dropped while the stage came into
 * force. A watch that goes on after another attempt has heard the window already; its judge remembers. Only nodes with pods that the
 * policy selects, or that report their connections, are waited for.
 */
export async function followConnections(
  { cluster, flows, now }: Sources,
  input: WatchInput,
  { reader, selected, since, watchedTo, resumed, signal, remarks }: Following,
  hear: Hear,
): Promise<void> {
  const { namespace } = selected;
  const { windowMs } = PolicyDetails.parse(input.plan.details);
  const from = resumed ? since : judgedFrom(input, since) - windowMs;
  let waiting: Evidence[] | undefined = [];
  const tell: Hear = (event) => {
    // What is harm whatever came before does not wait for the ring to be read.
    if (waiting && !isHarmAlready(event)) waiting.push(event);
    else hear(event);
  };
  const carriers = new Carriers({ hear: tell, now });
  remarks?.(() => carriers.unseen(now()));
  const places = new Places(cluster, selected, carriers, signal);
  const live: FlowFollower = {
    traces: true,
    flow(flow, node, seenAt) {
      const connection = reader.read(flow, node, seenAt);
      if (!connection) return;
      carriers.reported(node);
      tell(connection);
    },
    gap(node, at, reason, lost, patienceMs) {
      const more = { ...(lost !== undefined && { lost }), ...(patienceMs !== undefined && { patienceMs }) };
      void places.gap({ kind: 'gap', at, node, reason, ...more });
    },
    sight: (node, at) => void places.sight(node, at),
  };
  flows.follow([namespace], live, signal);
  const held: Evidence[] = [];
  const unread = new Map<string, string>();
  const replayed: FlowFollower = {
    traces: true,
    flow(flow, node, seenAt) {
      const connection = reader.read(flow, node, seenAt);
      if (!connection) return;
      carriers.reported(node);
      held.push(connection);
    },
    // A ring that cannot be read back makes a watch that goes on incomplete. For one that begins it means that what there was before is not
    // known, which asks people at its end; a drop since the write shows again when its client tries again.
    gap(node, at, reason, lost) {
      if (resumed) void places.gap({ kind: 'gap', at, node, reason, ...(lost !== undefined && { lost }) });
      else unread.set(node, reason);
    },
    sight(node, at) {
      if (resumed) void places.sight(node, at);
    },
  };
  const depth = resumed ? toldNotHeld(replayed, { watchedTo, openedAt: now(), now }) : {};
  await flows.replay([namespace], from, { ...replayed, ...depth }, signal);
  await places.settled();
  const missed = unread.size > 0 ? await places.carrying([...unread.keys()], now()) : [];
  const early = waiting;
  waiting = undefined;
  for (const event of [...held.toSorted((a, b) => a.at - b.at), ...early])
    if (!resumed || event.kind !== 'connection' || event.at > since) hear(event);
  if (!resumed) hear({ kind: 'before', at: from, unread: missed.map((node) => ({ node, reason: unread.get(node) ?? '' })) });
}

/** A drop that is the candidate's doing, of a peer inside: nothing that the ring holds makes it less. */
function isHarmAlready(event: Evidence): boolean {
  return event.kind === 'connection' && event.outcome === 'dropped' && event.cause === 'candidate' && event.group.peer.kind === 'cluster';
}
