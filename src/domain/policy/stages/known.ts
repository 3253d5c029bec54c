import type { ConnectionEvidence } from './connection.ts';
import { doubtKey } from './group.ts';

/** More are not remembered: what is beyond counts as never seen, which asks people instead of acting. */
const MOST = 2_000;
/** An address that has tried more ports than this was looking, not calling. */
const SCAN_PORTS = 3;
/** A scan that has just begun tries one port of several pods at once, and by then it has come to others (ms of event time). */
const APART_MS = 5_000;

/** Who is at the other end of what. */
type Peered = Pick<ConnectionEvidence, 'address' | 'group'>;
type Sighted = Pick<ConnectionEvidence, 'address' | 'group' | 'at'>;

/**
 * Who was let through before the stage, more than once and for a while: what is seen in one moment from outside is as likely to be the first of a
 * port scan.
 * Peers inside need no entry: their identity speaks for them.
 */
export class Known {
  readonly #keys: Set<string>;
  /** When it was first and last seen. */
  readonly #seen = new Map<string, { readonly first: number; readonly last: number }>();
  readonly #ports = new Map<string, Set<string>>();

  constructor(from: readonly string[] = []) {
    this.#keys = new Set();
    for (const key of from) {
      this.#remember(key);
      this.#port(key);
    }
  }

  add(event: Sighted): void {
    if (event.group.peer.kind === 'cluster') return;
    const key = keyOf(event);
    const { first, last } = this.#seen.get(key) ?? { first: event.at, last: event.at };
    const now = { first: Math.min(first, event.at), last: Math.max(last, event.at) };
    if (this.#seen.has(key) || this.#seen.size < MOST) this.#try(key, now);
    if (now.last - now.first >= APART_MS) this.#remember(key);
  }

  has(event: Peered): boolean {
    const key = keyOf(event);
    return this.#keys.has(key) && !this.#isScanner(key);
  }

  snapshot(): readonly string[] {
    return [...this.#keys].filter((key) => !this.#isScanner(key));
  }

  #remember(key: string): void {
    if (this.#keys.size < MOST) this.#keys.add(key);
  }

  /** Also a port that was tried once speaks against its caller: the scan may have come round to the others only. */
  #try(key: string, seen: { readonly first: number; readonly last: number }): void {
    this.#seen.set(key, seen);
    this.#port(key);
  }

  #port(key: string): void {
    const caller = callerOf(key);
    this.#ports.set(caller, (this.#ports.get(caller) ?? new Set()).add(key));
  }

  #isScanner(key: string): boolean {
    return (this.#ports.get(callerOf(key))?.size ?? 0) > SCAN_PORTS;
  }
}

/** `203.0.113.9 ingress/world/8080/TCP` */
function keyOf({ address, group }: Peered): string {
  return `${address} ${doubtKey(group)}`;
}

/** Outward many ports are ordinary; inward one address with many of them is a scan. */
function callerOf(key: string): string {
  const [address = '', group = ''] = key.split(' ');
  return group.startsWith('ingress/') ? address : key;
}
