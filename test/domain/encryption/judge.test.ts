import { describe, expect, it } from 'vitest';
import type { ProofEvidence } from '../../../src/domain/encryption/evidence.ts';
import { createEncryptionJudge, type EncryptionJudgeSettings } from '../../../src/domain/encryption/judge.ts';
import type { RequestEvidence } from '../../../src/domain/judge/evidence.ts';

const SETTINGS: EncryptionJudgeSettings = {
  objective: 0.01,
  alpha: 0.001,
  durationMs: 3_000,
  startedAt: 0,
  minRequests: 10,
  canaryService: '',
  exposure: 0.5,
  split: false,
  slo: 'absolute',
  change: 'on',
  asks: true,
  patientUntil: 40_000,
};

let count = 0;
function connection(at: number, changes: Partial<RequestEvidence> = {}): RequestEvidence {
  count += 1;
  return {
    kind: 'request',
    at,
    seenAt: at,
    side: 'canary',
    failed: false,
    latencyMs: 5,
    id: `c${count}`,
    pair: 'node-1 → node-2',
    ...changes,
  };
}

function proof(at: number, of: ProofEvidence['proof'], changes: Partial<ProofEvidence> = {}): ProofEvidence {
  return { kind: 'proof', at, proof: of, podless: [], expected: 0, ...changes };
}

const PROVED: ProofEvidence['proof'] = { kind: 'proved', pairs: 4, by: 'waited' };

describe('a stage of encryption', () => {
  it('does not pass without a proof, however well its traffic goes', () => {
    const judge = createEncryptionJudge(SETTINGS);
    for (let at = 1; at < 2_000; at += 50) judge.hear(connection(at));
    expect(judge.pending?.(3_000)).toBe('nothing is known of the changed nodes yet');
    judge.hear(proof(2_500, { kind: 'not-yet', words: ['node-1 → node-2: a key is not published'] }));
    expect(judge.pending?.(3_000)).toBe('node-1 → node-2: a key is not published');
    const late = judge.conclude(40_000);
    expect(late).toMatchObject({ kind: 'blind', reason: 'not proved' });
    expect(late.words).toContain('Not proved: node-1 → node-2: a key is not published');
  });

  it('passes with one, and says that nobody has looked at the wire', () => {
    const judge = createEncryptionJudge(SETTINGS);
    for (let at = 1; at < 2_000; at += 50) judge.hear(connection(at));
    judge.hear(proof(2_500, PROVED, { podless: ['node-3'], few: ['node-1 → node-2'] }));
    // More of what pods send would say more; it is not waited for without an end.
    expect(judge.pending?.(3_000)).toBe('too few connections to tell yet');
    expect(judge.pending?.(40_000)).toBeUndefined();
    const verdict = judge.conclude(40_000);
    expect(verdict).toMatchObject({ kind: 'healthy', unseen: 'whether packets between nodes are encrypted on the wire' });
    expect(verdict.words).toBe(
      'To and from changed nodes 0 of 40 connections lost. Keys and pods agree; the longest lag that was measured was waited out several times over. Nobody has looked at the wire. No pods run on node-3: nothing could be tried there. Too few connections to tell: node-1 → node-2.',
    );
  });

  it('waits for enough connections, and ends at once where there are enough', () => {
    const judge = createEncryptionJudge(SETTINGS);
    for (let at = 1; at < 400; at += 50) judge.hear(connection(at));
    judge.hear(proof(2_500, PROVED));
    expect(judge.pending?.(3_000)).toBe('too few connections to tell yet');
    for (let at = 401; at < 600; at += 50) judge.hear(connection(at));
    expect(judge.pending?.(3_000)).toBeUndefined();
  });

  it('is harmful when connections of its nodes are lost, and names the pairs', () => {
    const judge = createEncryptionJudge(SETTINGS);
    for (let at = 1; at < 500; at += 50) judge.hear(connection(at));
    let verdict = judge.conclude(500);
    for (let at = 500; at < 2_000 && verdict.kind !== 'harmful'; at += 20)
      verdict = judge.hear(connection(at, { failed: true, failure: 'no answer', pair: 'node-2 → node-1' })) ?? verdict;
    expect(verdict.kind).toBe('harmful');
    expect(verdict.words).toMatch(/^To and from changed nodes \d+ of \d+ connections lost; 1% is allowed\. Lost: node-2 → node-1 \d+\.$/);
    expect(judge.counts.canary.failures).toBeLessThan(10);
  });

  it('names the node first that has part in the most of what was lost', () => {
    const judge = createEncryptionJudge(SETTINGS);
    for (let at = 1; at < 500; at += 50) judge.hear(connection(at));
    let verdict = judge.conclude(500);
    for (let at = 500; at < 4_000 && verdict.kind !== 'harmful'; at += 20) {
      const pair = at % 40 === 0 ? 'node-1 → node-3' : 'node-3 → node-2';
      verdict = judge.hear(connection(at, { failed: true, failure: at % 40 === 0 ? 'hangs' : 'no answer', pair })) ?? verdict;
    }
    expect(verdict).toMatchObject({ kind: 'harmful', harmed: ['node-3', expect.any(String), expect.any(String)] });
  });

  it('blames no change for what others lose', () => {
    const judge = createEncryptionJudge(SETTINGS);
    for (let at = 1; at < 2_000; at += 20) {
      expect(judge.hear(connection(at))).toBeUndefined();
      expect(judge.hear(connection(at, { side: 'stable', failed: true }))).toBeUndefined();
    }
  });

  it('goes on from what an earlier attempt has heard', () => {
    const first = createEncryptionJudge(SETTINGS);
    for (let at = 1; at < 300; at += 20) first.hear(connection(at, { failed: at > 240, failure: 'hangs' }));
    const next = createEncryptionJudge(SETTINGS, JSON.parse(JSON.stringify(first.snapshot())));
    expect(next.counts).toEqual(first.counts);
    let verdict = next.conclude(300);
    for (let at = 300; verdict.kind !== 'harmful' && at < 2_000; at += 20)
      verdict = next.hear(connection(at, { failed: true, failure: 'hangs' })) ?? verdict;
    expect(verdict.words).toContain('node-1 → node-2 (hang)');
  });

  it('tells what was lost as the plan said', () => {
    const judge = createEncryptionJudge({ ...SETTINGS, change: 'off' });
    for (let at = 1; at < 2_000; at += 50) judge.hear(connection(at));
    judge.hear(proof(2_500, PROVED, { expected: 7 }));
    expect(judge.conclude(3_000).words).toContain('7 connections more lost while agents restarted, as the plan says.');
  });
});
