import { describe, expect, it } from 'vitest';
import type { EncryptionDetails } from '../../../src/domain/encryption/details.ts';
import { pairName, proofOf } from '../../../src/domain/encryption/evidence.ts';
import type { NodeFacts } from '../../../src/domain/encryption/facts.ts';
import { createEncryptionJudge } from '../../../src/domain/encryption/judge.ts';
import type { Traffic } from '../../../src/domain/encryption/proof.ts';
import { readEncryption } from '../../../src/domain/encryption/reading.ts';
import { cluster, encrypted, NOW, node } from './clusters.ts';

const AGENT = { pod: 'cilium-1', ready: true, image: 'cilium:v1.20.2', startedAt: NOW - 40_000, readyAt: NOW - 30_000 };
const WELL: Traffic = { begun: 20, answered: 20, lost: 0, ended: 20, whole: 20, ends: true, drops: 0 };
/** Answered, and of no kind of which an end is known: pools of a database, watches, streams. */
const OPEN: Traffic = { ...WELL, ended: 0, whole: 0, ends: false };
const ONE: Traffic = { ...WELL, begun: 1, answered: 1, ended: 1, whole: 1 };

type Pairs = Readonly<Record<string, Traffic>>;

interface Case {
  readonly names?: readonly string[];
  /** Nodes by stage; those of no stage are not changed. */
  readonly stages?: Readonly<Record<string, string[]>>;
  readonly change?: 'on' | 'off';
  readonly without?: readonly string[];
  readonly unread?: readonly string[];
  readonly pairs: Pairs;
}

function found({ names = ['a', 'b'], stages = { 1: ['a'], 2: ['b'] }, change = 'on', without = [], unread = [], pairs }: Case) {
  const changed = Object.values(stages).flat();
  const details: EncryptionDetails = {
    opId: 'encryption-1',
    change,
    mode: 'wireguard',
    namespace: 'kube-system',
    mostAway: 1,
    nodes: { ...stages },
    agentMs: 90_000,
    endStage: 9,
  };
  const nodes = names.map((name): NodeFacts => {
    const pods = without.includes(name) ? { endpoints: {} } : {};
    return changed.includes(name) && change === 'on' ? encrypted(name, { agent: AGENT, ...pods }) : node(name, { agent: AGENT, ...pods });
  });
  const reading = readEncryption(cluster(nodes, { unread: [...unread] }));
  const stage = Math.max(...Object.keys(stages).map(Number));
  return proofOf({ details, stage, reading, traffic: new Map(Object.entries(pairs)), configuredAt: NOW - 45_000, expected: 0 });
}

/** The same both ways between each two of these. */
function among(names: readonly string[], traffic: Traffic): Pairs {
  return Object.fromEntries(names.flatMap((from) => names.filter((to) => to !== from).map((to) => [pairName(from, to), traffic] as const)));
}

const SMALL = 'too few connections there were answered';
const LARGE = 'connections there have not come to their end in their usual time';

describe('a changed node passes only when its connections tell of small and of large packets, both ways', () => {
  it.each<[string, Case]>([
    ['where both ways do', { pairs: among(['a', 'b'], WELL) }],
    [
      'where one pair of the node does, however little the others say',
      {
        names: ['a', 'b', 'c', 'd'],
        stages: { 1: ['a'], 2: ['b', 'c', 'd'] },
        pairs: { ...among(['a', 'b', 'c', 'd'], ONE), ...among(['a', 'b'], WELL), ...among(['c', 'd'], WELL) },
      },
    ],
    [
      'where its pairs do together, of which none does alone: in a large cluster nearly all are such',
      {
        names: ['a', 'b', 'c', 'd'],
        stages: { 1: ['a'], 2: ['b', 'c', 'd'] },
        pairs: among(['a', 'b', 'c', 'd'], ONE),
      },
    ],
    [
      'the first one, with nodes that are not changed yet',
      { names: ['a', 'b', 'c'], stages: { 1: ['a'] }, pairs: among(['a', 'b'], WELL) },
    ],
    [
      'one that is turned off, with any node',
      {
        names: ['a', 'b', 'c'],
        stages: { 1: ['a'], 2: ['b'] },
        change: 'off',
        pairs: { ...among(['a', 'c'], WELL), ...among(['b', 'c'], WELL) },
      },
    ],
  ])('%s', (_, one) => {
    expect(found(one)).toMatchObject({ proof: { kind: 'proved' }, podless: [] });
  });

  it.each<[string, Case, readonly string[]]>([
    ['nothing is known of it at all', { pairs: {} }, [`nothing shows that packets pass between a, b and other changed nodes: ${SMALL}`]],
    [
      'too few connections are known of',
      { pairs: among(['a', 'b'], { ...ONE, begun: 2, answered: 2, ended: 2, whole: 2 }) },
      [`nothing shows that packets pass between a, b and other changed nodes: ${SMALL}`],
    ],
    [
      'none of its connections is known to end: where large packets vanish it looks the same',
      { pairs: among(['a', 'b'], OPEN) },
      [`nothing shows that large packets pass between a, b and other changed nodes: ${LARGE}`],
    ],
    [
      'ends were seen, though not of a kind that nearly always ends',
      { pairs: among(['a', 'b'], { ...OPEN, ended: 9 }) },
      [`nothing shows that large packets pass between a, b and other changed nodes: ${LARGE}`],
    ],
    [
      'one way alone tells of large ones',
      { pairs: { 'a → b': WELL, 'b → a': OPEN } },
      [
        `nothing shows that large packets pass to a from other changed nodes: ${LARGE}`,
        `nothing shows that large packets pass from b to other changed nodes: ${LARGE}`,
      ],
    ],
    [
      'one way alone tells of anything',
      { pairs: { 'a → b': WELL } },
      [
        `nothing shows that packets pass to a from other changed nodes: ${SMALL}`,
        `nothing shows that packets pass from b to other changed nodes: ${SMALL}`,
      ],
    ],
    [
      'only nodes without encryption tell, to which it sends in the clear',
      { names: ['a', 'b', 'c'], pairs: { ...among(['a', 'c'], WELL), ...among(['b', 'c'], WELL) } },
      [`nothing shows that packets pass between a, b and other changed nodes: ${SMALL}`],
    ],
    [
      'it is one of many of which all others are told',
      {
        names: ['a', 'b', 'c', 'd'],
        stages: { 1: ['a'], 2: ['b', 'c', 'd'] },
        pairs: { ...among(['a', 'b', 'c'], WELL), ...among(['a', 'd'], OPEN), ...among(['a', 'b', 'c'], WELL) },
      },
      [`nothing shows that large packets pass between d and other changed nodes: ${LARGE}`],
    ],
    [
      'it is the first, and others are not changed yet',
      { names: ['a', 'b', 'c'], stages: { 1: ['a'] }, pairs: among(['a', 'b'], OPEN) },
      [`nothing shows that large packets pass between a and other nodes: ${LARGE}`],
    ],
    [
      'it is turned off',
      { names: ['a', 'b'], stages: { 1: ['a'] }, change: 'off', pairs: {} },
      [`nothing shows that packets pass between a and other nodes: ${SMALL}`],
    ],
    [
      'it seems to have no pods because they may not be read',
      { names: ['a', 'b'], without: ['a', 'b'], unread: ['CiliumEndpoints'], pairs: {} },
      [`nothing shows that packets pass between a, b and other changed nodes: ${SMALL}`],
    ],
  ])('not where %s', (_, one, words) => {
    expect(found(one).proof).toEqual({ kind: 'not-yet', words });
  });

  it('what a pair tells of a failure comes first', () => {
    const { proof } = found({ pairs: { 'a → b': { ...WELL, lost: 9 }, 'b → a': OPEN } });
    expect(proof).toMatchObject({
      kind: 'not-yet',
      words: [expect.stringContaining('9 of 20 connections were lost'), ...Array(2).fill(expect.stringContaining('large'))],
    });
    expect(found({ pairs: { 'a → b': { ...WELL, drops: 1 } } }).proof.kind).toBe('failed');
  });
});

describe('a node without pods', () => {
  it('has nothing that could be tried or harmed: it passes by what it publishes, and is named', () => {
    const pairs = among(['a', 'b'], WELL);
    const one = { names: ['a', 'b', 'c'], stages: { 1: ['a'], 2: ['b', 'c'] }, without: ['c'], pairs };
    expect(found(one)).toMatchObject({ proof: { kind: 'proved' }, podless: ['c'] });
  });

  it('is nobody to talk with: of two nodes with one that has none nothing more can be asked', () => {
    expect(found({ without: ['b'], pairs: {} })).toMatchObject({ proof: { kind: 'proved' }, podless: ['b'] });
  });
});

describe('a stage of which large packets are not known', () => {
  const settings = { objective: 0.01, alpha: 0.001, durationMs: 3_000, startedAt: 0, minRequests: 10, canaryService: '', exposure: 0.5 };
  const asked = { split: false, slo: 'absolute', change: 'on', asks: true, patientUntil: 40_000 } as const;
  const judged = (resumed?: Parameters<typeof createEncryptionJudge>[2], asks = true) =>
    createEncryptionJudge({ ...settings, ...asked, asks }, undefined, resumed);
  const hear = (judge: ReturnType<typeof judged>): void => {
    for (let at = 1; at < 2_000; at += 50)
      judge.hear({ kind: 'request', at, seenAt: at, side: 'canary', failed: false, latencyMs: 5, id: `c${at}`, pair: 'a → b' });
  };

  it('is waited for, then holds with plain words', () => {
    const judge = judged();
    hear(judge);
    judge.hear({ ...found({ pairs: among(['a', 'b'], OPEN) }), at: 2_500 });
    expect(judge.pending?.(39_000)).toContain('nothing shows that large packets pass');
    expect(judge.pending?.(40_000)).toBeUndefined();
    expect(judge.conclude(40_000)).toMatchObject({
      kind: 'blind',
      reason: 'not proved',
      words: `Not proved: nothing shows that large packets pass between a, b and other changed nodes: ${LARGE}. To and from changed nodes 0 of 40 connections lost. Watch longer, or roll back.`,
    });
    judge.hear({ ...found({ pairs: among(['a', 'b'], WELL) }), at: 2_600 });
    expect(judge.conclude(40_000).kind).toBe('healthy');
  });

  it('is told at the end, where people let it go on all the same', () => {
    const judge = judged();
    hear(judge);
    judge.hear({ ...found({ pairs: among(['a', 'b'], OPEN) }), at: 2_500 });
    const after = judged(JSON.parse(JSON.stringify(judge.carry?.())), false);
    hear(after);
    expect(after.conclude(3_000)).toMatchObject({
      kind: 'healthy',
      unseen: `whether packets between nodes are encrypted on the wire; and people went on although nothing shows that large packets pass between a, b and other changed nodes: ${LARGE}`,
    });
    const last = judged(after.carry?.());
    hear(last);
    last.hear({ ...found({ pairs: among(['a', 'b'], WELL) }), at: 2_500 });
    expect(last.conclude(40_000)).toMatchObject({ kind: 'healthy', unseen: 'whether packets between nodes are encrypted on the wire' });
  });

  it('names nodes without pods where it is healthy', () => {
    const judge = judged();
    hear(judge);
    judge.hear({
      ...found({ names: ['a', 'b', 'c'], stages: { 1: ['a', 'b', 'c'] }, without: ['c'], pairs: among(['a', 'b'], WELL) }),
      at: 2_500,
    });
    expect(judge.conclude(40_000).words).toContain(' No pods run on c: nothing could be tried there.');
  });
});
