import { describe, expect, it } from 'vitest';
import type { EncryptionDetails } from '../../../src/domain/encryption/details.ts';
import { type ProofEvidence, type ProofInput, proofOf, undone } from '../../../src/domain/encryption/evidence.ts';
import type { NodeFacts } from '../../../src/domain/encryption/facts.ts';
import { createEncryptionJudge } from '../../../src/domain/encryption/judge.ts';
import type { Traffic } from '../../../src/domain/encryption/proof.ts';
import { readEncryption } from '../../../src/domain/encryption/reading.ts';
import { cluster, encrypted, NOW, node } from './clusters.ts';

const DETAILS: EncryptionDetails = {
  opId: 'encryption-1',
  change: 'on',
  mode: 'wireguard',
  namespace: 'kube-system',
  mostAway: 1,
  nodes: { 1: ['node-1'], 2: ['node-2'] },
  agentMs: 90_000,
  endStage: 3,
};
const OLD = { pod: 'cilium-1', ready: true, image: 'cilium:v1.20.2', startedAt: NOW - 40_000, readyAt: NOW - 30_000 };
const USUAL: Traffic = { begun: 20, answered: 20, lost: 0, ended: 20, whole: 20, ends: true, drops: 0 };

function proof(nodes: readonly NodeFacts[], changes: Partial<ProofInput> = {}) {
  const traffic = new Map([
    ['node-1 → node-2', USUAL],
    ['node-2 → node-1', USUAL],
  ]);
  const reading = readEncryption(cluster(nodes));
  return proofOf({ details: DETAILS, stage: 2, reading, traffic, configuredAt: NOW - 45_000, expected: 0, ...changes });
}

const changed = (name: string, more: Partial<NodeFacts> = {}): NodeFacts => encrypted(name, { agent: OLD, ...more });
const traffic = (more: Partial<Traffic>) => ({ traffic: new Map([['node-1 → node-2', { ...USUAL, ...more }]]) });

/** What the judge of a stage says whose connections all went well, when its time is over. */
function concluded(found: ProofEvidence) {
  const settings = { objective: 0.01, alpha: 0.001, durationMs: 3_000, startedAt: 0, minRequests: 10, canaryService: '', exposure: 0.5 };
  const asked = { split: false, slo: 'absolute', change: 'on', asks: true, patientUntil: 40_000 } as const;
  const judge = createEncryptionJudge({ ...settings, ...asked });
  for (let at = 1; at < 2_000; at += 50)
    judge.hear({ kind: 'request', at, seenAt: at, side: 'canary', failed: false, latencyMs: 5, id: `c${at}`, pair: 'node-1 → node-2' });
  judge.hear({ ...found, at: 2_500 });
  return judge.conclude(40_000);
}

describe('a stage of encryption is proved', () => {
  it('by keys, pods, traffic, and a lag that was waited out', () => {
    expect(proof([changed('node-1'), changed('node-2')]).proof).toEqual({ kind: 'proved', pairs: 2, by: 'waited' });
  });

  it('also where a pair has one node that is not changed', () => {
    const found = proof([changed('node-1'), node('node-2')], { stage: 1 });
    expect(found.proof).toEqual({ kind: 'proved', pairs: 2, by: 'waited' });
  });

  // Each time one thing alone is not so.
  it.each([
    ['an agent is not ready', [changed('node-1', { agent: { ...OLD, ready: false } }), changed('node-2')], {}, 'an agent is not ready'],
    [
      'an agent is older than what it was told',
      [changed('node-1'), changed('node-2', { agent: { ...OLD, startedAt: NOW - 50_000 } })],
      {},
      'older than its configuration',
    ],
    ['a key is not published', [changed('node-1'), node('node-2', { agent: OLD })], {}, 'a key is not published'],
    [
      'a pod does not carry it',
      [changed('node-1'), changed('node-2', { endpoints: { 255: 4, 0: 1 } })],
      {},
      'not every pod carries the key',
    ],
    [
      'an agent has only just started',
      [changed('node-1'), changed('node-2', { agent: { ...OLD, readyAt: NOW - 19_000 } })],
      {},
      'only just started',
    ],
    [
      'too few connections were answered',
      [changed('node-1'), changed('node-2')],
      traffic({ answered: 2 }),
      '2 of 20 connections were answered',
    ],
    ['too many were lost', [changed('node-1'), changed('node-2')], traffic({ lost: 3 }), '3 of 20 connections were lost'],
    [
      'connections do not come to their end',
      [changed('node-1'), changed('node-2')],
      traffic({ ended: 2 }),
      '2 connections came to their end',
    ],
    [
      'nothing tells the nodes of the stage any more',
      [changed('node-1'), changed('node-2')],
      { configuredAt: undefined },
      'older than its configuration',
    ],
    [
      'nobody knows when an agent has started',
      [changed('node-1'), changed('node-2', { agent: { pod: 'cilium-1', ready: true, image: OLD.image, readyAt: OLD.readyAt } })],
      {},
      'older than its configuration',
    ],
    ['packets are dropped for want of encryption', [changed('node-1'), changed('node-2')], traffic({ drops: 1 }), '1 drops for want'],
  ])('not where %s, and the stage is refused', (_, nodes, changes, words) => {
    const found = proof(nodes, changes as Partial<ProofInput>);
    expect(found.proof.kind).not.toBe('proved');
    expect(JSON.stringify(found.proof)).toContain(words);
    const verdict = concluded(found);
    expect(verdict).toMatchObject({ kind: 'blind', reason: 'not proved' });
    expect(verdict.words).toContain(words);
    expect(concluded(proof([changed('node-1'), changed('node-2')]))).toMatchObject({ kind: 'healthy' });
  });

  it('for a pair whose connections stay open by their nature without their ends, where its nodes tell of large packets elsewhere', () => {
    const open = { ...USUAL, ended: 0, whole: 0, ends: false };
    const names = ['node-1', 'node-2', 'node-3'];
    const all = names.flatMap((from) => names.filter((to) => to !== from).map((to) => [`${from} → ${to}`, USUAL] as const));
    const details = { ...DETAILS, nodes: { 1: ['node-1'], 2: ['node-2', 'node-3'] } };
    const found = proof(
      names.map((name) => changed(name)),
      { details, traffic: new Map([...all, ['node-1 → node-2', open]]) },
    );
    expect(found.proof.kind).toBe('proved');
  });

  it('not by what it publishes alone, where a node has no traffic; that is looked at all the same', () => {
    const found = proof([changed('node-1'), changed('node-2')], { traffic: new Map() });
    expect(found.proof).toEqual({ kind: 'not-yet', words: [expect.stringContaining('between node-1, node-2 and other changed nodes')] });
    const keyless = proof([changed('node-1'), node('node-2', { agent: OLD })], { traffic: new Map() }).proof;
    expect(keyless).toMatchObject({ kind: 'not-yet', words: ['node-2 → others: a key is not published', expect.anything()] });
  });

  it('beside pairs with next to no traffic, and says which: most pairs of a large cluster are such', () => {
    const names = ['node-1', 'node-2', 'node-3'];
    const few = { begun: 2, answered: 2, ended: 2, whole: 2 };
    const all = names.flatMap((from) => names.filter((to) => to !== from).map((to) => [`${from} → ${to}`, USUAL] as const));
    const details = { ...DETAILS, nodes: { 1: ['node-1'], 2: ['node-2', 'node-3'] } };
    const nodes = names.map((name) => changed(name));
    const told = (more: Partial<Traffic>) =>
      proof(nodes, { details, traffic: new Map([...all, ['node-1 → node-2', { ...USUAL, ...more }]]) });
    expect(told(few)).toMatchObject({ proof: { kind: 'proved' }, podless: [], few: ['node-1 → node-2'] });
    // At any time some connection of some pair has not ended yet; of ten some must have.
    for (const underWay of [{ ended: 1 }, { ended: 0 }, { begun: 4, answered: 4, ended: 2 }])
      expect(told({ ...few, ...underWay }).proof.kind).toBe('proved');
    expect(told({ begun: 10, answered: 10, ended: 2 }).proof.kind).toBe('not-yet');
    // One that has no answer, hangs, or was dropped says something.
    for (const wrong of [{ answered: 1 }, { lost: 1 }, { lost: 1, answered: 1 }, { drops: 1 }])
      expect(told({ ...few, ...wrong }).proof.kind).not.toBe('proved');
  });

  it('off, where no key is left', () => {
    const details = { ...DETAILS, change: 'off' as const };
    const plain = (name: string): NodeFacts => node(name, { agent: OLD });
    expect(proof([plain('node-1'), plain('node-2')], { details }).proof.kind).toBe('proved');
    expect(JSON.stringify(proof([plain('node-1'), changed('node-2')], { details }).proof)).toContain('a key is still published');
    expect(JSON.stringify(proof([plain('node-1'), node('node-2', { agent: OLD, endpoints: { 255: 1 } })], { details }).proof)).toContain(
      'a pod still carries a key',
    );
  });
});

describe('what is not as it was told', () => {
  it('is named node by node', () => {
    const reading = readEncryption(
      cluster([
        changed('node-1'),
        node('node-2', { agent: OLD }),
        changed('node-3', { agent: { ...OLD, ready: false } }),
        changed('node-4', { endpoints: { 0: 1 } }),
      ]),
    );
    expect(undone(reading, ['node-1', 'node-2', 'node-3', 'node-4'], 'wireguard')).toEqual([
      'node-2: its agent does not do what it was told',
      'node-3: its agent has not come back',
      'node-4: not every pod has the key of its node',
    ]);
  });
});
