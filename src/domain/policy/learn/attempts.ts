// Who tried what, and whether anybody answered: an attempt that nobody answered is no use of a port.

import type { SeenFlow } from '../dryrun/flow.ts';
import type { RecordedFlow } from '../dryrun/recorded.ts';
import { isIcmp } from '../flow.ts';

/** A peer that tries so many ports of one workload without an answer looks for open ones. */
const SCANNED_PORTS = 10;
/** Peers whose attempts are remembered; one more is taken for what it seems. */
const MOST_PEERS = 20_000;

interface Attempt {
  readonly rule: string;
  readonly port: string;
  count: number;
  answered: boolean;
}

export class Attempts {
  readonly #peers = new Map<string, Map<string, Attempt>>();
  /** By what an answer to it says: who answers whom, from which port. */
  #answers = 0;

  /** One new connection, under the rule that it was counted for. */
  add({ flow, direction }: SeenFlow, rule: string, port: string): void {
    const { source, destination } = flow;
    // A ping has no port that could be looked for.
    if (isIcmp(flow.protocol)) return;
    const who = `${direction} ${source.ip ?? ''}>${destination.ip ?? ''}`;
    const tried = this.#peers.get(who) ?? new Map<string, Attempt>();
    if (!this.#peers.has(who) && this.#peers.size >= MOST_PEERS) return;
    this.#peers.set(who, tried);
    const attempt = tried.get(port) ?? { rule, port, count: 0, answered: false };
    attempt.count += 1;
    tried.set(port, attempt);
  }

  /** A reply, other than one that refuses. */
  answer({ IP, l4 }: RecordedFlow): void {
    const [protocol, ports] = Object.entries(l4 ?? {}).find(([, value]) => value !== undefined) ?? [];
    if (!ports || !('source_port' in ports) || ports.flags?.RST === true) return;
    this.#answers += 1;
    for (const direction of ['ingress', 'egress']) {
      const attempt = this.#peers.get(`${direction} ${IP.destination}>${IP.source}`)?.get(`${ports.source_port}/${protocol}`);
      if (attempt) attempt.answered = true;
    }
  }

  /** What to leave out: connections by rule and port. */
  get fruitless(): readonly Pick<Attempt, 'rule' | 'port' | 'count'>[] {
    const all = [...this.#peers.values()].map((tried) => [...tried.values()].filter(({ answered }) => !answered));
    const scans = all.filter((tried) => tried.length >= SCANNED_PORTS).flat();
    if (this.#answers === 0) return scans;
    // Where answers are in the record at all, a port of the world that never gave one is none that is used.
    const known = [...this.#peers.values()].flatMap((tried) => [...tried.values()]);
    const used = new Set(known.filter(({ answered }) => answered).map(({ rule, port }) => `${rule} ${port}`));
    const knocks = all.flat().filter(({ rule, port }) => rule === FROM_WORLD && !used.has(`${rule} ${port}`));
    return [...new Set([...scans, ...knocks])];
  }
}

const FROM_WORLD = 'ingress entity world';
