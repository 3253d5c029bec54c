import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { dryRun } from '../../../../src/domain/policy/dryrun/dry-run.ts';
import { readRecordedLine } from '../../../../src/domain/policy/dryrun/recorded.ts';
import { learnPolicy } from '../../../../src/domain/policy/learn/learn.ts';
import { policy } from './lines.ts';

/**
 * Recorded from two real agents of Cilium 1.20.2 while no policy was in force: 1 connection each from frontend-1 to backend-1 (its own node)
 * and backend-2 (the other one), a ping to each, a closed port, a UDP port without listener, from the node of backend-1 to both, out to the
 * API server and in from its address, and one held connection to each pod.
 */
const withoutPolicies = gunzipSync(readFileSync(new URL('../../../fixtures/real-cilium/01a-no-policy.jsonl.gz', import.meta.url)))
  .toString()
  .trim()
  .split('\n');
const flows = () => withoutPolicies.map(readRecordedLine);
const inNamespace = (name: string) => ({ matchLabels: { app: name, 'k8s:io.kubernetes.pod.namespace': name } });
const HTTP = [{ ports: [{ port: '8080', protocol: 'TCP' }] }];
function dropped(candidate: Parameters<typeof dryRun>[0]['candidate']) {
  const { wouldDrop, wouldAllow, unknown, unreadable, stillAllowed } = dryRun({ flows: flows(), inForce: [], candidate });
  expect({ wouldAllow, unknown, unreadable }).toEqual({ wouldAllow: [], unknown: [], unreadable: 0 });
  return { drops: Object.fromEntries(wouldDrop.map(({ key, count }) => [key, count])), stillAllowed };
}

test('every connection that an ingress policy would drop is found, and none is invented', () => {
  const ingress = [{ fromEndpoints: [inNamespace('frontend')], toPorts: HTTP }];
  const candidate = policy('backend', 'backend', { endpointSelector: { matchLabels: { app: 'backend' } }, ingress });
  expect(dropped(candidate)).toEqual({
    drops: {
      'ingress/frontend/frontend/*/ICMP': 2,
      'ingress/frontend/frontend/7777/TCP': 1,
      'ingress/frontend/frontend/5353/UDP': 1,
      'ingress/frontend/frontend/9000/TCP': 2,
      'ingress/remote-node/8080/TCP': 1,
      'ingress/kube-apiserver/8080/TCP': 1,
    },
    // Two of the frontend, and the one of the pod's own node, which always may.
    stillAllowed: 3,
  });
});

test('the same for an egress policy, also between pods of one node, where only the destination has a record', () => {
  const egress = [{ toEndpoints: [inNamespace('backend')], toPorts: HTTP }];
  const candidate = policy('frontend', 'frontend', { endpointSelector: { matchLabels: { app: 'frontend' } }, egress });
  expect(dropped(candidate)).toEqual({
    drops: {
      'egress/backend/backend/*/ICMP': 2,
      'egress/backend/backend/7777/TCP': 1,
      'egress/backend/backend/5353/UDP': 1,
      'egress/backend/backend/9000/TCP': 2,
      'egress/kube-apiserver/6443/TCP': 1,
    },
    stillAllowed: 2,
  });
});

test.each([
  ['backend', 11],
  ['frontend', 9],
])('what is learned for %s drops nothing of it', (name, connections) => {
  const learned = learnPolicy({ flows: flows(), namespace: name, name, selector: { app: name } });
  expect({ connections: learned.connections, denied: learned.denied, unknown: learned.unknown }).toEqual({
    connections,
    denied: 0,
    unknown: {},
  });
  const spec = learned.policy?.document['spec'] as object;
  expect(dropped(policy(name, name, spec)).drops).toEqual({});
});
