/** Who calls whom in the demo mesh, and what share of all its east-west connections that is. */
export interface Hop {
  readonly from: { readonly namespace: string; readonly app: string };
  /** `namespace/name` of the Service. */
  readonly to: string;
  readonly share: number;
}

export const demoHops: readonly Hop[] = [
  { from: { namespace: 'frontend', app: 'frontend' }, to: 'backend/backend', share: 0.3 },
  { from: { namespace: 'backend', app: 'backend' }, to: 'database/database', share: 0.6 },
  { from: { namespace: 'backend', app: 'backend' }, to: 'external/external', share: 0.1 },
];
