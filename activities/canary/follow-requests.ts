import type { Flows } from '../../src/clients/hubble/flows.ts';
import { toldNotHeld } from '../../src/clients/hubble/not-held.ts';
import { createRecent, type Recent } from '../../src/clients/hubble/recent.ts';
import type { FlowFollower } from '../../src/clients/hubble/stream-listener.ts';
import type { Evidence } from '../../src/domain/judge/evidence.ts';
import type { Carriers } from '../watch/carriers.ts';
import type { Hear } from '../watch/watching.ts';
import type { DropReader } from './drops.ts';
import type { RequestReader } from './requests.ts';

export interface Following {
  readonly keys: readonly string[];
  readonly carriers: Carriers;
  readonly since: number;
  readonly watchedTo: number;
  readonly signal: AbortSignal;
  readonly reader: RequestReader;
  readonly drops: DropReader;
}

/**
 * Live requests and drops; a watch that goes on hears first what the rings still hold since then. The streams tell nothing twice by
 * themselves, so only what the replay and the live stream both brought has to be told apart here.
 */
export async function followRequests(
  deps: { readonly flows: Flows; readonly now: () => number },
  { keys, carriers, since, watchedTo, signal, reader, drops }: Following,
  hear: Hear,
): Promise<void> {
  let heard: Recent | undefined = createRecent(REPLAYED);
  let waiting: Evidence[] | undefined = [];
  const take = (event: Evidence): void => {
    if (event.kind === 'asked' && event.at <= since) return;
    if ((event.kind === 'request' || event.kind === 'drop') && (event.at <= since || heard?.add(event.id) === false)) return;
    hear(event);
  };
  const followerTo = (tell: (event: Evidence) => void, replayed = false): FlowFollower => ({
    flow(flow, node, seenAt) {
      // A replay may bring a request whose answer the live stream has brought already: it waits for nothing.
      if (replayed && flow.l7?.type === 'REQUEST') return;
      const event = reader.read(flow, node, seenAt) ?? drops.read(flow, seenAt);
      if (!event) return;
      carriers.reported(node);
      tell(event);
    },
    gap(node, at, reason, lost, patienceMs) {
      reader.lost(node);
      carriers.gap({ kind: 'gap', at, node, reason, ...(lost !== undefined && { lost }), ...(patienceMs !== undefined && { patienceMs }) });
    },
    sight(node, at) {
      reader.seen(node);
      carriers.sight(node, at);
    },
  });
  const live = (event: Evidence): void => void (waiting ? waiting.push(event) : take(event));
  deps.flows.follow(keys, followerTo(live), signal);
  every(OVERDUE_EVERY_MS, signal, () => {
    for (const event of reader.overdue(deps.now())) live(event);
  });
  const held: Evidence[] = [];
  const openedAt = deps.now();
  if (openedAt - since > REPLAY_FROM_MS) {
    const keep = followerTo((event) => held.push(event), true);
    await deps.flows.replay(keys, since, { ...keep, ...toldNotHeld(keep, { watchedTo, openedAt, now: deps.now }) }, signal);
  }
  const early = waiting;
  waiting = undefined;
  // The rings of the nodes are read side by side; the judge wants the order of time.
  for (const event of [...held.toSorted((a, b) => a.at - b.at), ...early]) take(event);
  heard = undefined;
}

/** A watch that has just begun has missed nothing worth reading back. */
const REPLAY_FROM_MS = 300;
const REPLAYED = 20_000;
const OVERDUE_EVERY_MS = 200;

function every(ms: number, signal: AbortSignal, run: () => void): void {
  if (signal.aborted) return;
  const timer = setInterval(run, ms);
  signal.addEventListener('abort', () => clearInterval(timer), { once: true });
}
