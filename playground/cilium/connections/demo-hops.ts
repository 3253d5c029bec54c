/** Who calls whom in the demo mesh, and what share of all its east-west connections that is. */
import type { Name } from './directory.ts';

export interface Hop {
  readonly from: { readonly namespace: string; readonly app: string } | { readonly world: string };
  readonly to: Name;
  readonly share: number;
  /** Paths of its GET requests, one by chance. */
  readonly paths: readonly string[];
}

/** A host outside of the cluster that the backend calls by name. */
export const outsideApi = { name: 'api.example.com', ip: '203.0.113.10', port: 443 } as const;
/** A visitor from outside who calls the frontend directly. */
export const visitor = '198.51.100.20';

export const demoHops: readonly Hop[] = [
  { from: { namespace: 'frontend', app: 'frontend' }, to: 'backend/backend', share: 0.25, paths: ['/', '/items', '/items/1'] },
  { from: { namespace: 'backend', app: 'backend' }, to: 'database/database', share: 0.45, paths: ['/rows'] },
  { from: { namespace: 'backend', app: 'backend' }, to: 'external/external', share: 0.05, paths: ['/'] },
  { from: { namespace: 'backend', app: 'backend' }, to: outsideApi.name, share: 0.05, paths: ['/v1/rates'] },
  { from: { namespace: 'external', app: 'external' }, to: 'frontend/frontend', share: 0.1, paths: ['/', '/items'] },
  { from: { world: visitor }, to: 'frontend/frontend', share: 0.1, paths: ['/', '/items'] },
];

/** `frontend/frontend -> backend/backend`. */
export const hopName = ({ from, to }: Hop): string => `${'world' in from ? 'world' : `${from.namespace}/${from.app}`} -> ${to}`;
