import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type PlacedNode, planStages, synchronisedWindow } from '../../../src/domain/encryption/stages.ts';

function nodesOf(count: number, zones: number): readonly PlacedNode[] {
  return Array.from({ length: count }, (_, index) => ({ name: `node-${index + 1}`, zone: `zone-${index % zones}` }));
}

describe('the stages of a cluster', () => {
  it('are one node, a tenth, half, all', () => {
    const stages = planStages(nodesOf(40, 4), []);
    expect(stages.map(({ batches }) => batches.flat().length)).toEqual([1, 3, 16, 20]);
    expect(stages.map(({ share }) => share)).toEqual([0.025, 0.1, 0.5, 1]);
  });

  it('of three nodes are one, two, three', () => {
    expect(planStages(nodesOf(3, 3), []).map(({ batches }) => batches)).toEqual([[['node-1']], [['node-2']], [['node-3']]]);
  });

  it('finish a zone before the next is begun', () => {
    const zones = planStages(nodesOf(12, 3), []).flatMap(({ batches }) => batches.flat().map((name) => (Number(name.slice(5)) - 1) % 3));
    expect(zones).toEqual([0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2]);
  });

  it('leave the second node of a workload for later where another one can go first', () => {
    const nodes = nodesOf(4, 1);
    const order = planStages(nodes, [{ workload: 'a', nodes: ['node-1', 'node-2'] }]).flatMap(({ batches }) => batches.flat());
    expect(order).toEqual(['node-1', 'node-3', 'node-4', 'node-2']);
  });

  const clusters = fc
    .record({
      count: fc.integer({ min: 1, max: 60 }),
      zones: fc.integer({ min: 1, max: 5 }),
      mostAway: fc.integer({ min: 1, max: 5 }),
      spreads: fc.array(fc.array(fc.nat(59), { minLength: 1, maxLength: 6 }), { maxLength: 20 }),
    })
    .map(({ count, zones, mostAway, spreads }) => ({
      nodes: nodesOf(count, zones),
      mostAway,
      spreads: spreads.map((places, index) => ({
        workload: `w${index}`,
        nodes: places.map((place) => `node-${(place % count) + 1}`),
      })),
    }));

  it('hold every node once; no batch is larger than allowed, spans zones, or holds all pods of a workload', () => {
    fc.assert(
      fc.property(clusters, ({ nodes, mostAway, spreads }) => {
        const stages = planStages(nodes, spreads, { mostAway });
        const batches = stages.flatMap((stage) => stage.batches);
        expect(batches.flat().toSorted()).toEqual(nodes.map(({ name }) => name).toSorted());
        expect(stages[0]?.batches).toHaveLength(1);
        expect(stages[0]?.batches[0]).toHaveLength(1);
        expect(stages.at(-1)?.share).toBe(1);
        const zoneOf = new Map(nodes.map(({ name, zone }) => [name, zone]));
        const apart = spreads.map(({ nodes: places }) => [...new Set(places)]).filter((places) => places.length > 1);
        const bad = batches.filter((batch) => {
          const holdsAll = apart.some((places) => places.every((place) => batch.includes(place)));
          return holdsAll || batch.length > mostAway || new Set(batch.map((name) => zoneOf.get(name))).size !== 1;
        });
        expect(bad).toEqual([]);
      }),
      { numRuns: 2_000 },
    );
  });

  it('of 1,000 nodes with 5,000 workloads are planned within a second', () => {
    const nodes = nodesOf(1_000, 3);
    const spreads = Array.from({ length: 5_000 }, (_, index) => ({
      workload: `w${index}`,
      nodes: [1, 2, 3].map((times) => `node-${((index * times * 7) % 1_000) + 1}`),
    }));
    const began = process.cpuUsage();
    planStages(nodes, spreads, { mostAway: 2 });
    expect(process.cpuUsage(began).user / 1_000).toBeLessThan(1_000);
  });

  it('in tunnel mode are one window with every agent', () => {
    expect(synchronisedWindow(nodesOf(3, 3))).toEqual([{ share: 1, batches: [['node-1', 'node-2', 'node-3']] }]);
  });
});
