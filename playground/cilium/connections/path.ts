/** The whole packet path: the wire, the table of live connections, and the doors between gateway and pods. */
import { randomUUID } from 'node:crypto';
import { setTimeout as wait } from 'node:timers/promises';
import type { Agents } from '../flows/agents.ts';
import type { Ground } from '../ground.ts';
import type { PodBook } from '../pod-book.ts';
import type { Realisation } from '../policy/realisation.ts';
import type { Pods } from '../workloads/pods.ts';
import type { TrueConnection } from './connection-truth.ts';
import type { Conntrack } from './conntrack.ts';
import { createConntrack } from './conntrack.ts';
import { decideAcross, decideBy } from './decision.ts';
import type { GatewayDoors } from './gateway-doors.ts';
import { createGatewayDoors } from './gateway-doors.ts';
import type { Wire } from './wire.ts';
import { createWire } from './wire.ts';

export interface Path {
  readonly wire: Wire;
  readonly conntrack: Conntrack;
  readonly doors: GatewayDoors;
}

export interface PathOptions {
  readonly book: PodBook;
  readonly agents: Agents;
  readonly realisation: Realisation;
  readonly pods: Pods;
  readonly connected: (connection: TrueConnection) => void;
  /** What one node sends another does not arrive now. */
  readonly isLost: (from: string, to: string) => boolean;
  /** Packets that are too large for the way between these nodes vanish on it now. */
  readonly swallows: (from: string, to: string) => boolean;
}

/** Lays it over the parts that decide, report and answer; ends with the ground. */
export function layPath(ground: Ground, options: PathOptions): Path {
  const { book, agents, realisation, pods, connected } = options;
  const { now, signal, onError } = ground;
  const pause = (ms: number): Promise<boolean> => wait(ms, true, { signal }).catch(() => false);
  const decide = decideAcross(
    decideBy((node) => realisation.at(node)),
    options.isLost,
  );
  const wire = createWire({ book, agents, decide, uuid: randomUUID, now, connected, pause, swallows: options.swallows });
  const conntrack = createConntrack(wire);
  ground.onStop(() => conntrack.stop());
  const doors = createGatewayDoors({ book, pods, wire, conntrack, onError });
  doors.update();
  return { wire, conntrack, doors };
}
