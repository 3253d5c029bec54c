import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type CohortPod, cohortOrder, cohortSizes, MOST_LABELLED } from '../../../../src/domain/policy/stages/cohort.ts';
import { becomesIdentity } from '../../../../src/domain/policy/stages/identity-filter.ts';

const counts = fc.record({ pods: fc.integer({ min: 0, max: 400 }), unready: fc.integer({ min: 0, max: 400 }) });
const shares = fc.array(fc.integer({ min: 1, max: 100 }), { maxLength: 5 });
const pods = fc.uniqueArray(
  fc.record({ name: fc.string({ minLength: 1 }), uid: fc.uuid(), node: fc.constantFrom('a', 'b', 'c', 'd'), ready: fc.boolean() }),
  { selector: ({ uid }) => uid, maxLength: 40 },
);

describe('how many pods go first', () => {
  it.each([
    [1, []],
    [2, [1]],
    [3, [1, 2]],
    [4, [1, 2]],
    [10, [1, 5]],
    [40, [1, 4, 20]],
    [400, [1, 40, 50]],
  ])('of %i pods %j', (count, sizes) => {
    expect(cohortSizes(count, count)).toEqual(sizes);
  });

  it('rises strictly, never takes all pods, and never more than are ready', () => {
    fc.assert(
      fc.property(counts, shares, ({ pods: total, unready }, given) => {
        const ready = Math.max(0, total - unready);
        const sizes = cohortSizes(total, ready, given);
        for (const [index, size] of sizes.entries()) {
          expect(size).toBeGreaterThan(sizes[index - 1] ?? 0);
          expect(size).toBeLessThan(total);
          expect(size).toBeLessThanOrEqual(Math.min(ready, MOST_LABELLED));
        }
        if (ready > 0 && total > 1) expect(sizes[0]).toBe(1);
      }),
    );
  });
});

describe('which pods go first', () => {
  it('are ready ones, each once, the same for the same seed whatever the order in which they are listed', () => {
    fc.assert(
      fc.property(pods, fc.string(), (all, seed) => {
        const order = cohortOrder(all, seed);
        expect(new Set(order.map(({ uid }) => uid)).size).toBe(order.length);
        expect(order.length).toBe(all.filter(({ ready }) => ready).length);
        expect(order.every(({ ready }) => ready)).toBe(true);
        expect(cohortOrder(all.toReversed(), seed)).toEqual(order);
      }),
    );
  });

  it('are spread: no node has a second one before every node has its first', () => {
    fc.assert(
      fc.property(pods, fc.string(), (all, seed) => {
        const order = cohortOrder(all, seed);
        const nodes = new Set(order.map(({ node }) => node)).size;
        expect(new Set(order.slice(0, nodes).map(({ node }) => node)).size).toBe(nodes);
      }),
    );
  });

  it('do not change when a pod of another node comes', () => {
    const base: readonly CohortPod[] = [0, 1, 2, 3].map((index) => ({ name: `p${index}`, uid: `u${index}`, node: 'a', ready: true }));
    const more = [...base, { name: 'new', uid: 'new', node: 'b', ready: true }];
    expect(cohortOrder(more, 's').filter(({ node }) => node === 'a')).toEqual(cohortOrder(base, 's'));
  });
});

describe('pods that keep their turn', () => {
  const names = (order: readonly CohortPod[]) => order.map(({ name }) => name);
  const stateful = (ordinals: readonly number[], name = 'db', life = 0): readonly CohortPod[] =>
    ordinals.map((ordinal) => ({
      name: `${name}-${ordinal}`,
      uid: `${name}-${ordinal}-${life}`,
      node: `node-${ordinal % 2}`,
      ready: true,
      maker: { kind: 'StatefulSet', name },
    }));
  const daemon = (nodes: readonly string[], life = ''): readonly CohortPod[] =>
    nodes.map((node) => ({
      name: `log-${node}${life}`,
      uid: `u-${node}${life}`,
      node,
      ready: true,
      maker: { kind: 'DaemonSet', name: 'log' },
    }));

  it('are those of a StatefulSet: the highest ordinal first, 10 before 9, whatever the seed and their nodes', () => {
    fc.assert(
      fc.property(fc.shuffledSubarray([0, 1, 2, 3, 8, 9, 10, 11]), fc.string(), (ordinals, seed) => {
        const wanted = ordinals.toSorted((a, b) => b - a).map((ordinal) => `db-${ordinal}`);
        expect(names(cohortOrder(stateful(ordinals), seed))).toEqual(wanted);
        expect(names(cohortOrder(stateful(ordinals, 'db', 1), seed))).toEqual(wanted);
      }),
    );
  });

  it('one that is not ready is left out, and the next one below it goes', () => {
    const pods = stateful([0, 1, 2]).map((pod) => (pod.name === 'db-2' ? { ...pod, ready: false } : pod));
    expect(names(cohortOrder(pods, 's'))).toEqual(['db-1', 'db-0']);
  });

  it('are those of a DaemonSet by their node: all of them made anew have the same order', () => {
    fc.assert(
      fc.property(fc.uniqueArray(fc.string({ minLength: 1 }), { minLength: 2, maxLength: 9 }), fc.string(), (nodes, seed) => {
        const order = cohortOrder(daemon(nodes), seed).map(({ node }) => node);
        expect(cohortOrder(daemon(nodes, '-again').toReversed(), seed).map(({ node }) => node)).toEqual(order);
      }),
    );
  });

  it('of two StatefulSets go beside each other, and pods of a Job when nobody else is left', () => {
    const job = { name: 'job-x', uid: 'j', node: 'node-9', ready: true, maker: { kind: 'Job', name: 'job' } };
    const order = names(cohortOrder([job, ...stateful([0, 1]), ...stateful([0, 1], 'queue')], 's'));
    expect(order.slice(0, 2).toSorted()).toEqual(['db-1', 'queue-1']);
    expect(order.at(-1)).toBe('job-x');
  });
});

describe('the cohort label as part of an identity', () => {
  it.each([
    [undefined, true],
    ['', true],
    ['!k8s:pod-template-hash !k8s:team', true],
    ['k8s:app k8s:io.kubernetes.pod.namespace', false],
    ['k8s:app k8s:meshops.dev/cohort', true],
    ['k8s:app,k8s:meshops\\.dev', true],
    ['!k8s:meshops.dev', false],
    ['k8s:meshops.dev/cohort !k8s:meshops.dev', true],
    ['reserved:.*', false],
  ])('under `%s`: %s', (config, expected) => {
    expect(becomesIdentity(config, 'meshops.dev/cohort')).toBe(expected);
  });
});
