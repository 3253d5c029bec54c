/** What one watch of the judge before was held to. */
export interface BeforeSettings {
  readonly objective: number;
  /** This watch's share of the operation's alpha: see alpha.ts. */
  readonly alpha: number;
  readonly durationMs: number;
  readonly startedAt: number;
  readonly exposure?: number;
  readonly slo?: 'both' | 'absolute' | 'relative';
  readonly baseline?: { readonly requests: number; readonly failures: number };
  readonly drops?: { readonly before?: { readonly groups: number; readonly ms: number } };
}
