import type { WayBack } from '../lifecycle/change.ts';

/** What `/encryption on` and `off` ask for. */
export type EncryptionAsked =
  | ({ readonly kind: 'on'; readonly mode: 'wireguard' } & Stepped)
  | ({ readonly kind: 'off' } & Stepped)
  | WayBack;

interface Stepped {
  /** All agents at once, for tunnel mode. */
  readonly window?: true;
  /** Shares of the nodes in percent, rising. */
  readonly steps?: readonly number[];
}
