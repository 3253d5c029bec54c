// Identifiers as Slack makes them.
import { randomBytes } from 'node:crypto';

/** Message timestamps: seconds and six digits, strictly increasing, so that they can serve as ids. */
export function timestamps(now: () => number): () => string {
  let last = 0;
  return () => {
    last = Math.max(Math.round(now() * 1000), last + 1);
    return `${Math.floor(last / 1_000_000)}.${String(last % 1_000_000).padStart(6, '0')}`;
  };
}

/** A random id such as `V0A1B2C3D4E`; `bytes` is half the number of characters after the prefix. */
export function freshId(prefix: string, bytes = 5): string {
  return `${prefix}${randomBytes(bytes).toString('hex').toUpperCase()}`;
}

/** Five characters, as Slack gives to blocks and elements that come without an id. */
export function shortId(): string {
  return randomBytes(4).toString('base64url').slice(0, 5);
}
