import { describe, expect, test } from 'vitest';
import { dryRun } from '../../../src/domain/policy/dryrun/dry-run.ts';
import { dryRunSentences } from '../../../src/domain/policy/dryrun/words.ts';
import { compilePolicies } from '../../../src/domain/policy/evaluator.ts';
import type { PolicyFlow } from '../../../src/domain/policy/flow.ts';
import { causeOf, mayBeDenied } from '../../../src/domain/policy/stages/attribution.ts';
import { atWorst } from '../../../src/domain/policy/worst.ts';
import { BACKEND, DATABASE, FRONTEND, policy, record, type Told, WORLD } from './dryrun/lines.ts';

/** A deny rule that speaks of what lies elsewhere is no reason to say that nothing would be dropped. */

const ENDPOINTS = { endpointSelector: { matchLabels: { app: 'backend' } } };
const byGroup = policy('backend', 'backend', {
  ...ENDPOINTS,
  ingress: [{ fromEntities: ['all'] }],
  ingressDeny: [{ fromCIDRSet: [{ cidrGroupRef: 'blocked' }], toPorts: [{ ports: [{ port: '8080' }] }] }],
});
const byName = policy('backend', 'backend', {
  ...ENDPOINTS,
  egress: [{ toEntities: ['all'] }],
  egressDeny: [
    { toEndpoints: [{ matchLabels: { 'k8s:io.kubernetes.pod.namespace': 'database' } }], toPorts: [{ ports: [{ port: 'admin' }] }] },
  ],
});
const run = (candidate: typeof byGroup, ...told: readonly Told[]) => dryRun({ flows: record(...told), inForce: [], candidate });

describe('a dry-run', () => {
  test('does not say of an address outside that a group lets it through', () => {
    const found = run(byGroup, { from: WORLD(), to: BACKEND }, { from: WORLD(), to: BACKEND, port: 9090 }, { from: FRONTEND, to: BACKEND });
    expect(found).toMatchObject({ wouldDrop: [], stillAllowed: 2, unknown: [{ reason: 'selector', direction: 'ingress', count: 1 }] });
    expect(dryRunSentences(found)).toContain(
      'Not decided, because they say too little: 1 (a rule speaks of groups or services that lie outside of the policies).',
    );
  });

  test('does not say of a port that its name is another one, where its names are not known', () => {
    const egress = { from: BACKEND, to: DATABASE, port: 9999, direction: 'EGRESS' } as const;
    expect(run(byName, egress)).toMatchObject({ stillAllowed: 0, unknown: [{ reason: 'namedPort', count: 1 }] });
    const namedPorts = () => [{ name: 'admin', port: 5000, protocol: 'TCP' }];
    const known = dryRun({ flows: record(egress), inForce: [], candidate: byName, context: { namedPorts } });
    expect(known).toMatchObject({ stillAllowed: 1, unknown: [] });
  });
});

test('a drop that a group may explain is the doing of the policy, and in the shadow it may be one', () => {
  const widest = atWorst([byGroup], 'groups') ?? [];
  const compared = { before: compilePolicies([], {}), candidate: compilePolicies([byGroup], {}), worst: compilePolicies(widest, {}) };
  const flow = (from: typeof FRONTEND): PolicyFlow => ({
    source: { labels: from.labels, ip: from.ip },
    destination: { labels: BACKEND.labels, ip: BACKEND.ip },
    protocol: 'TCP',
    destinationPort: 8080,
  });
  expect(causeOf(compared, flow(WORLD()), 'ingress')).toBe('candidate');
  expect(causeOf(compared, flow(FRONTEND), 'ingress')).toBe('unexplained');
  expect(mayBeDenied(compared, flow(WORLD()), 'ingress')).toBe(true);
  expect(mayBeDenied(compared, flow(FRONTEND), 'ingress')).toBe(false);
  expect(atWorst([byName], 'groups')).toBeUndefined();
});
