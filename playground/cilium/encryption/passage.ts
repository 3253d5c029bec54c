/** What becomes of a packet between two nodes, by what their agents have published and loaded: measured on unmodified agents (docs/encryption.md). */

export interface NodeEncryption {
  /** The device is there and its key published: peers may send to it. */
  readonly publicKey?: string;
  /** The programs that encrypt are loaded: 2.4 to 3.9 s after the key. */
  readonly encrypting: boolean;
  /** The device went at the start of an agent without encryption; peers learn of it later (Unix ms). */
  readonly lostUntil?: number;
}

export type Passage = 'encrypted' | 'plain' | 'lost';

/** The state of a node that has never encrypted. */
export const plain: NodeEncryption = { encrypting: false };

/** From a pod of one node to a pod of another. Nothing reports what is lost. */
export function passage(from: NodeEncryption, to: NodeEncryption, { tunnel, now }: { tunnel: boolean; now: number }): Passage {
  const hasLeft = (one: NodeEncryption, other: NodeEncryption): boolean =>
    one.publicKey === undefined && (one.lostUntil ?? 0) > now && other.encrypting;
  if (hasLeft(from, to) || hasLeft(to, from)) return 'lost';
  if (tunnel) {
    // Every packet of the overlay goes into the device, where there is no peer; and so do the answers of the other side.
    if (from.encrypting && to.publicKey === undefined) return 'lost';
    if (to.encrypting && from.publicKey === undefined) return 'lost';
  }
  return from.encrypting && to.publicKey !== undefined ? 'encrypted' : 'plain';
}
