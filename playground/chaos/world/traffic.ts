import type { Random } from '../random.ts';
import type { VirtualTime } from '../virtual-time.ts';
import type { Agents } from './agents.ts';
import type { Counters } from './counters.ts';
import { CANARY_NAME, type Mesh, NAMESPACE, NODES, SERVICE_NAME } from './mesh.ts';

/** Requests a second while somebody looks closely. */
const PER_SECOND = 6;
const EVERY_MS = 1_000;
const MOST_SECONDS = 5;

/** What people outside do: requests through the gateway, split by the weights in force, answered by pods or by nobody. */
export class Traffic {
  readonly #time: VirtualTime;
  readonly #mesh: Mesh;
  readonly #agents: Agents;
  readonly #random: Random;
  readonly #counters: Counters;
  #uuid = 0;
  #lookedAt = 0;
  /** What is owed to the canary by its share: shares are met evenly, so that a stage of seconds has its requests. */
  #owed = 0;
  /** Share of requests that fail on each side, 0..1. */
  readonly failing = { stable: 0, canary: 0 };
  /** Told of each request when it is answered. */
  answered: (side: 'stable' | 'canary', failed: boolean) => void = () => undefined;
  /** Nobody asks for anything. */
  quiet = false;

  constructor(time: VirtualTime, mesh: Mesh, agents: Agents, random: Random, counters: Counters) {
    this.#counters = counters;
    this.#time = time;
    this.#mesh = mesh;
    this.#agents = agents;
    this.#random = random;
  }

  start(): void {
    this.#time.every(EVERY_MS, () => this.#second());
  }

  /** From now on this share of the side's requests fails. What was asked before has been answered before. */
  fail(side: 'stable' | 'canary', share: number): void {
    this.#second();
    this.failing[side] = share;
  }

  /** One look's worth of requests. In a quiet time one look stands for many seconds; then it brings as many as a few of them. */
  #second(): void {
    const seconds = Math.min(MOST_SECONDS, (this.#time.now - this.#lookedAt) / EVERY_MS);
    this.#lookedAt = this.#time.now;
    if (this.quiet) return;
    const { stable, canary } = this.#mesh.inForce;
    const total = stable + canary;
    const count = Math.round(PER_SECOND * seconds);
    for (let nth = 0; nth < count; nth += 1) {
      if (total === 0) continue;
      this.#owed += canary / total;
      const side = this.#owed >= 1 - 1e-9 ? 'canary' : 'stable';
      if (side === 'canary') this.#owed -= 1;
      this.#request(side, this.#time.now - (count - nth) * 10);
    }
  }

  #request(side: 'stable' | 'canary', at: number): void {
    const pods = this.#mesh.pods(side);
    const uuid = `f${++this.#uuid}`;
    const failed = pods.length === 0 || this.#random.chance(this.failing[side]);
    this.answered(side, failed);
    if (pods.length === 0) this.#counters.unreached(side === 'canary' ? CANARY_NAME : SERVICE_NAME);
    const base = { uuid, verdict: 'FORWARDED', event_type: { type: 129 } };
    const http = { code: failed ? 503 : 200, method: 'GET', url: 'http://shop.example.com/', protocol: 'HTTP/1.1', headers: [] };
    const l7 = { type: 'RESPONSE', latency_ns: 5_000_000, http };
    const client = { identity: 8, labels: ['reserved:ingress'] };
    const [pod] = pods.length === 0 ? [] : [pods[this.#uuid % pods.length]];
    const source = pod === undefined ? { labels: ['reserved:ingress'] } : { namespace: NAMESPACE, pod_name: pod };
    const address = pod === undefined ? '10.9.9.9' : `pod/${pod}`;
    this.#agents.emit(NODES.gateway, { ...base, l7, source, destination: client, IP: { source: address, destination: '10.9.9.9' } }, at);
  }
}
