import { describe, expect, test } from 'vitest';
import { checkApart } from '../../../activities/canary/preconditions.ts';
import { Sides } from '../../../activities/canary/sides.ts';
import type { Cluster } from '../../../src/clients/kubernetes/cluster.ts';
import type { EndpointSlice } from '../../../src/clients/kubernetes/objects.ts';

/** A Service whose selector leaves the version out leads to the canary's pods as well. */

function sliceOf(...pods: readonly string[]): EndpointSlice {
  return {
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    metadata: { name: 's', namespace: 'backend', uid: 's', resourceVersion: '1' },
    endpoints: pods.map((name) => ({
      addresses: [`10.0.0.${name.at(-1)}`],
      conditions: { ready: true },
      targetRef: { kind: 'Pod', namespace: 'backend', name },
    })),
  };
}

function clusterWith(pods: Readonly<Record<string, readonly string[]>>): Cluster {
  const list = async (_kind: unknown, { labelSelector }: { readonly labelSelector: string }) => ({
    items: [sliceOf(...(pods[labelSelector.slice(labelSelector.indexOf('=') + 1)] ?? []))],
  });
  return { list } as unknown as Cluster;
}

describe('a pod behind both Services', () => {
  const { signal } = new AbortController();
  const details = { namespace: 'backend', receiver: 'backend-canary', others: ['old', 'backend'] };

  test('is no canary: the plan says what it would mean', async () => {
    const cluster = clusterWith({ backend: ['v1-1', 'v2-2'], 'backend-canary': ['v2-2'] });
    const refused = await checkApart({ cluster }, details, signal);
    expect(refused).toMatchObject({ code: 'SharedPod' });
    expect(refused?.words).toMatch(/^The pod backend\/v2-2 is behind backend as well as backend-canary\./);
    expect(await checkApart({ cluster: clusterWith({ backend: ['v1-1'], 'backend-canary': ['v2-2'] }) }, details, signal)).toBeUndefined();
  });

  test.each([[['canary', 'stable']], [['stable', 'canary']]] as const)(
    "is the canary's while both are watched, listed in the order %s",
    (order) => {
      const sides = new Sides();
      for (const side of order) sides.endpoints(side, [side === 'canary' ? sliceOf('v2-2') : sliceOf('v1-1', 'v2-2')]);
      expect(sides.of({ pod: 'backend/v2-2' })).toBe('canary');
      expect(sides.of({ address: '10.0.0.2' })).toBe('canary');
      expect(sides.of({ pod: 'backend/v1-1' })).toBe('stable');
      // A pod that changes over is the other side's.
      sides.endpoints('canary', [sliceOf('v2-3')]);
      expect(sides.of({ pod: 'backend/v2-2' })).toBe('stable');
      expect(sides.of({ address: '10.0.0.2' })).toBe('stable');
    },
  );
});
