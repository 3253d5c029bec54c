import { describe, expect, test } from 'vitest';
import { readManifests } from '../../../playground/cilium/apply-manifests.ts';
import { draw, presets } from '../../../playground/cilium/delays.ts';
import { sliceOf } from '../../../playground/cilium/endpoint-slices.ts';
import { createIdentities, identityLabels } from '../../../playground/cilium/identities.ts';
import { byKind } from '../../../playground/cilium/kube/resources.ts';
import type { Pod, Service } from '../../../playground/cilium/kube/types.ts';
import { createRandom, seedFor } from '../../../playground/cilium/random.ts';
import { createTruth } from '../../../playground/cilium/truth.ts';

function pod(name: string, ready: boolean): Pod {
  return {
    metadata: {
      name,
      namespace: 'backend',
      uid: name,
      labels: {
        app: 'backend',
        version: 'v2',
        'app.kubernetes.io/name': 'backend',
        'pod-template-hash': 'x',
        'topology.kubernetes.io/zone': 'a',
      },
    },
    spec: { nodeName: 'node-1', containers: [{ name: 'backend', image: 'x', ports: [{ name: 'http', containerPort: 9000 }] }] },
    status: { podIP: '10.244.1.10', conditions: [{ type: 'Ready', status: ready ? 'True' : 'False' }] },
  };
}

const service: Service = {
  metadata: { name: 'backend-canary', namespace: 'backend' },
  spec: { selector: { version: 'v2' }, ports: [{ name: 'http', port: 8080, targetPort: 'http' }] },
};

describe('identities', () => {
  test("keep the labels that Cilium's default filter keeps", () => {
    expect(identityLabels(pod('a', true), { 'kubernetes.io/metadata.name': 'backend' })).toEqual([
      'gen:io.cilium.k8s.named-ports=http.TCP.9000',
      'k8s:app.kubernetes.io/name=backend',
      'k8s:app=backend',
      'k8s:io.cilium.k8s.namespace.labels.kubernetes.io/metadata.name=backend',
      'k8s:io.cilium.k8s.policy.cluster=default',
      'k8s:io.cilium.k8s.policy.serviceaccount=default',
      'k8s:io.kubernetes.pod.namespace=backend',
      'k8s:version=v2',
    ]);
  });

  test('the same labels are the same number, adopted ones keep theirs', () => {
    const identities = createIdentities();
    identities.adopt(20_000, ['k8s:app=a']);
    expect([identities.numberOf(['k8s:app=a']), identities.numberOf(['k8s:app=b']), identities.numberOf(['k8s:app=b'])]).toEqual([
      20_000, 20_001, 20_001,
    ]);
  });
});

test('an EndpointSlice lists every selected pod with its readiness and the resolved port', () => {
  const other: Pod = { ...pod('other', true), metadata: { name: 'other', namespace: 'frontend', labels: { version: 'v2' } } };
  const slice = sliceOf(service, [pod('b', false), pod('a', true), other]);
  expect(slice.endpoints?.map((endpoint) => endpoint.conditions?.ready)).toEqual([true, false]);
  expect(slice.ports).toEqual([{ name: 'http', port: 9000, protocol: 'TCP' }]);
});

test('the demo manifests are all of kinds that the simulator knows, namespaces first', () => {
  const folder = new URL('../../../manifests/demo', import.meta.url).pathname;
  const objects = readManifests(folder);
  expect(objects.slice(0, 4).map((object) => object.kind)).toEqual(['Namespace', 'Namespace', 'Namespace', 'Namespace']);
  for (const object of objects) expect(byKind).toHaveProperty([`${object.apiVersion}/${object.kind}`]);
});

test('the same seed draws the same delays, within their bounds', () => {
  const draws = (seed: number): readonly number[] => {
    const random = createRandom(seedFor(seed, 'operator'));
    return Array.from({ length: 500 }, () => draw(presets.cluster.operator, random));
  };
  expect(draws(1)).toEqual(draws(1));
  expect(draws(1)).not.toEqual(draws(2));
  expect(Math.max(...draws(1))).toBeLessThanOrEqual(presets.cluster.operator.max);
  expect(draw(presets.ideal.agent, createRandom(1))).toBe(0);
});

describe('the true record', () => {
  const request = (at: number, service_: string, status: number) => ({
    at,
    startedAt: at - 5,
    service: service_,
    backend: '',
    status,
    latencyMs: 5,
    ok: status > 0 && status < 500,
  });

  test('finds the first harm of a Service since a time, and counts a window', () => {
    const writer = createTruth();
    for (const each of [request(1, 'b/x', 500), request(2, 'b/y', 500), request(3, 'b/x', 200), request(4, 'b/x', 0)]) writer.request(each);
    expect(writer.truth.firstHarm(2, 'x')).toBe(4);
    expect(writer.truth.firstHarm(0, 'b/y')).toBe(2);
    expect(writer.truth.counts(1, 4, 'b/x')).toEqual({ total: 2, failed: 1 });
    expect(writer.truth.totals()).toEqual({ 'b/x': { total: 3, failed: 2 }, 'b/y': { total: 1, failed: 1 } });
  });

  test('keeps each change of weights once, with when it was seen and when it was in force', () => {
    const writer = createTruth();
    const heard: (number | undefined)[] = [];
    writer.truth.onWeights((weights) => heard.push(weights.inForceAt));
    writer.routeSeen('b/r', 1, 10, [{ 'b/x': 100 }]);
    writer.routeSeen('b/r', 1, 12, [{ 'b/x': 100 }]);
    writer.routeSeen('b/r', 2, 20, [{ 'b/x': 90 }]);
    writer.routeInForce('b/r', 2, 25);
    writer.routeInForce('b/r', 2, 30);
    expect(writer.truth.weights.map((each) => [each.generation, each.seenAt, each.inForceAt])).toEqual([
      [1, 10, undefined],
      [2, 20, 25],
    ]);
    expect(heard).toEqual([undefined, undefined, 25]);
  });
});
