import type { ConnectionEvidence } from './connection.ts';
import { doubtKey } from './group.ts';

/** More are not remembered: what is beyond counts as never seen, which asks people instead of acting. */
const MOST = 2_000;
/** An address that has tried more ports than this was looking, not calling. */
const SCAN_PORTS = 3;

/** Who is at the other end of what. */
type Peered = Pick<ConnectionEvidence, 'address' | 'group'>;

/**
 * Who was let through before the stage, more than once: a single connection from outside is as likely to be the first of a port scan.
 * Peers inside need no entry: their identity speaks for them.
 */
export class Known {
  readonly #keys: Set<string>;
  readonly #once = new Set<string>();
  readonly #ports = new Map<string, Set<string>>();

  constructor(from: readonly string[] = []) {
    this.#keys = new Set();
    for (const key of from) this.#remember(key);
  }

  add(event: ConnectionEvidence): void {
    if (event.group.peer.kind === 'cluster') return;
    const key = keyOf(event);
    if (this.#once.has(key)) this.#remember(key);
    else if (this.#once.size < MOST) this.#try(key);
  }

  has(event: Peered): boolean {
    const key = keyOf(event);
    return this.#keys.has(key) && !this.#isScanner(key);
  }

  snapshot(): readonly string[] {
    return [...this.#keys].filter((key) => !this.#isScanner(key));
  }

  #remember(key: string): void {
    if (this.#keys.size >= MOST) return;
    this.#keys.add(key);
    this.#try(key);
  }

  /** Also a port that was tried once speaks against its caller: the scan may have come round to the others only. */
  #try(key: string): void {
    this.#once.add(key);
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
