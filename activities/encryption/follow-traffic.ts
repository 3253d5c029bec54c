import { setImmediate as turn } from 'node:timers/promises';
import { type Flow, millisecondsOf } from '../../src/clients/hubble/flow.ts';
import { EVERYTHING, type Flows } from '../../src/clients/hubble/flows.ts';
import { toldNotHeld } from '../../src/clients/hubble/not-held.ts';
import type { FlowFollower } from '../../src/clients/hubble/stream-listener.ts';
import type { RequestEvidence } from '../../src/domain/judge/evidence.ts';
import { BLIND_AFTER_MS } from '../../src/domain/judge/sight.ts';
import { Carriers } from '../watch/carriers.ts';
import type { Hear, OpenOptions } from '../watch/watching.ts';
import { again } from './again.ts';
import type { Homes } from './homes.ts';
import { recordOf } from './names.ts';
import type { TrafficReader } from './traffic-reader.ts';

const OVERDUE_MS = 200;
/** What was seen before the stage says which kinds of connections come to their end: so far back (ms). */
const LEARN_MS = 60_000;
/** Records that came by a stream while the rings were read may stand in these too: of nodes whose clocks differ by no more than this (ms). */
const OVERLAP_MS = 15_000;
/** Records that are kept while the rings are read. */
const MOST_KEPT = 200_000;

interface Following extends OpenOptions {
  readonly reader: TrafficReader;
  readonly homes: Homes;
  /** What the rings hold of later than this is judged (epoch ms of event time), and what is older is only learned from. */
  readonly from: number;
}

interface Sources {
  readonly flows: Flows;
  readonly now: () => number;
}

/**
 * Follows connections between nodes, and resolves when the rings have been read. A watch that has just begun learns from them how connections
 * of each kind end. One that goes on after another attempt, or was long in opening, has missed what nobody else saw: that is read back and
 * judged before what comes live, and what the rings have lost of it, or cannot be read, counts as not seen.
 */
export async function followTraffic({ flows, now }: Sources, following: Following, hear: Hear): Promise<void> {
  const { reader, homes, since, watchedTo, resumed, signal, remarks, from } = following;
  const carriers = new Carriers({ hear, now });
  // Pods of every node may have sent something, however long a node was quiet.
  carriers.endpoints('', homes.nodes);
  remarks?.(() => [carriers.unseen(now()), homes.unplaced()].filter((words) => words !== undefined).join('; ') || undefined);
  const read = (flow: Flow, node: string, seenAt: number): void => {
    const event = reader.read(flow, node, seenAt);
    if (event) hear(event);
  };
  const openedAt = now();
  const kept = resumed || openedAt - since > BLIND_AFTER_MS ? new Kept() : undefined;
  const inTurn = (node: string, run: () => void): void => {
    if (!kept?.keep(node, run)) run();
  };
  const away = new Set<string>();
  const live: FlowFollower = {
    traces: true,
    answers: true,
    flow: (flow, node, seenAt) => inTurn(node, () => void (kept?.isKnown(flow, node) || read(flow, node, seenAt))),
    gap(node, at, reason, lost, patienceMs) {
      away.add(node);
      // Nothing is missing of a stream that was only opened while the rings were read.
      inTurn(node, () => void ((lost !== undefined || away.has(node)) && reader.lost(node)));
      carriers.gap({ kind: 'gap', at, node, reason, ...(lost !== undefined && { lost }), ...(patienceMs !== undefined && { patienceMs }) });
    },
    sight(node, at) {
      away.delete(node);
      inTurn(node, () => reader.seen(node));
      carriers.sight(node, at);
    },
  };
  flows.follow([EVERYTHING], live, signal);
  again(
    () => OVERDUE_MS,
    signal,
    async () => {
      carriers.endpoints('', homes.nodes);
      // What has come while this process was away is read first: timers run before sockets are read.
      await turn();
      // An answer may stand in a ring that is still being read.
      if (!kept?.isOpen) for (const event of reader.overdue(now())) hear(event);
    },
  );
  const held: RequestEvidence[] = [];
  const ring: FlowFollower = {
    traces: true,
    answers: true,
    flow(flow, node, seenAt) {
      const at = millisecondsOf(flow.time);
      if (!kept || at <= from) return reader.learn(flow, node);
      if (at > openedAt - OVERLAP_MS) kept.know(flow, node);
      const event = reader.read(flow, node, seenAt);
      if (event) held.push(event);
    },
    gap(node, at, reason, lost) {
      if (!kept || at < since) return;
      reader.lost(node);
      carriers.gap({ kind: 'gap', at, node, reason, ...(lost !== undefined && { lost }) });
    },
    sight(node, at) {
      if (!kept) return;
      reader.seen(node);
      carriers.sight(node, at);
    },
  };
  const reading = kept ? { ...ring, ...toldNotHeld(ring, { watchedTo, openedAt, now }) } : ring;
  await flows.replay(homes.namespaces, since - LEARN_MS, reading, signal);
  reader.learned();
  if (!kept) return;
  for (const event of held.toSorted((a, b) => a.at - b.at)) hear(event);
  // What was due before the streams were opened is decided by the rings alone.
  for (const event of reader.overdue(openedAt)) hear(event);
  for (const [node, lost] of kept.release()) live.gap(node, now(), 'more came than is kept while the rings are read', lost);
}

/** What comes live while the rings are read: it waits for what they hold, which is older. */
class Kept {
  readonly #queue: (() => void)[] = [];
  readonly #known = new Set<string>();
  readonly #lost = new Map<string, number>();
  #isOpen = true;

  get isOpen(): boolean {
    return this.#isOpen;
  }

  /** A record of a ring. */
  know(flow: Flow, node: string): void {
    if (this.#known.size < MOST_KEPT) this.#known.add(recordOf(flow, node));
  }

  isKnown(flow: Flow, node: string): boolean {
    return this.#known.has(recordOf(flow, node));
  }

  /** False: nothing is waited for any more. */
  keep(node: string, run: () => void): boolean {
    if (!this.#isOpen) return false;
    if (this.#queue.length < MOST_KEPT) this.#queue.push(run);
    else this.#lost.set(node, (this.#lost.get(node) ?? 0) + 1);
    return true;
  }

  /** Does in its order what has waited. Returns for how much of each node there was no room. */
  release(): ReadonlyMap<string, number> {
    this.#isOpen = false;
    for (const run of this.#queue.splice(0)) run();
    this.#known.clear();
    return this.#lost;
  }
}
