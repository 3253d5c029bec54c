import type { Policy } from './policy.ts';

export type ParsedPolicy =
  | { readonly ok: true; readonly policy: Policy }
  /** `decode`: the JSON does not fit the type; `sanitize`: it does, and the engine still rejects it. `policy` = `namespace/name`. */
  | { readonly ok: false; readonly policy: string; readonly stage: 'decode' | 'sanitize'; readonly error: string };

export interface ParseContext {
  /** Cilium's `cluster-name`: peers are limited to it unless a selector names a cluster. */
  readonly clusterName?: string;
}
