import { describe, expect, it, test } from 'vitest';
import { type Check, LARGE_BYTES, type PairEvidence, prove, proveStage } from '../../../src/domain/encryption/proof.ts';

const good: PairEvidence = {
  from: 'node-3',
  to: 'node-7',
  agentsReady: true,
  agentsAfterConfiguration: true,
  keysPublished: true,
  endpointsCarryKey: true,
  sinceReadyMs: 5_000,
  probes: [
    { bytes: 800, tried: 12, failed: 0, old: true },
    { bytes: LARGE_BYTES, tried: 12, failed: 0, old: true },
  ],
  hasOldPods: true,
  drops: 0,
  capture: { plain: 0, encrypted: 40 },
  counters: { grew: 20_000, probed: 19_200 },
  flows: { decrypted: 24, probed: 24 },
  regenerated: { host: true, endpoints: true },
};

test('a pair of which everything is known is proved by what was seen on the wire', () => {
  expect(prove(good)).toEqual({ kind: 'proved', by: 'capture', words: 'node-3 → node-7: no packet in the clear was seen on the wire' });
});

describe('a pair of which one thing alone is not so is not proved', () => {
  it.each<[Check, 'not-yet' | 'failed', Partial<PairEvidence>]>([
    ['agent', 'not-yet', { agentsReady: false }],
    ['configuration', 'not-yet', { agentsAfterConfiguration: false }],
    ['key', 'not-yet', { keysPublished: false }],
    ['endpoints', 'not-yet', { endpointsCarryKey: false }],
    ['drops', 'failed', { drops: 1 }],
    ['small', 'failed', { probes: [{ bytes: 800, tried: 12, failed: 12, old: true }] }],
    ['small', 'not-yet', { probes: [{ bytes: LARGE_BYTES, tried: 12, failed: 0, old: true }] }],
    [
      'large',
      'failed',
      {
        probes: [
          { bytes: 800, tried: 12, failed: 0, old: true },
          { bytes: LARGE_BYTES, tried: 12, failed: 12, old: true },
        ],
      },
    ],
    ['large', 'not-yet', { probes: [{ bytes: 800, tried: 12, failed: 0, old: true }] }],
    [
      'old-pods',
      'not-yet',
      {
        probes: [
          { bytes: 800, tried: 12, failed: 0, old: true },
          { bytes: LARGE_BYTES, tried: 12, failed: 0, old: false },
        ],
      },
    ],
    ['capture', 'not-yet', { capture: { plain: 1, encrypted: 40 } }],
    ['capture', 'not-yet', { capture: { plain: 0, encrypted: 0 } }],
    ['counters', 'not-yet', { counters: { grew: 19_199, probed: 19_200 } }],
    ['flows', 'not-yet', { flows: { decrypted: 23, probed: 24 } }],
    ['regenerated', 'not-yet', { regenerated: { host: false, endpoints: true } }],
    ['regenerated', 'not-yet', { regenerated: { host: true, endpoints: false } }],
  ])('%s: %s', (check, kind, change) => {
    const pair = { ...good, ...change };
    expect(prove(pair)).toMatchObject({ kind, check });
    expect(proveStage([good, pair, good])).toMatchObject({ kind });
  });

  it('time, where nothing can be seen', () => {
    const { capture, counters, flows, regenerated, ...blind } = good;
    expect([capture, counters, flows, regenerated]).not.toContain(undefined);
    // The last packet in the clear was measured 3.9 s after the agent was ready, of nodes 9 s.
    expect(prove({ ...blind, sinceReadyMs: 12_900 })).toMatchObject({ kind: 'not-yet', check: 'time' });
    expect(prove({ ...blind, sinceReadyMs: 20_000 })).toMatchObject({
      kind: 'proved',
      by: 'waited',
      words: expect.stringContaining('nothing was seen'),
    });
  });
});

test('a black hole for large packets is told with the sizes that fail and pass', () => {
  const probes = [
    { bytes: 800, tried: 12, failed: 0, old: true },
    { bytes: 1_450, tried: 12, failed: 12, old: true },
    { bytes: 8_000, tried: 12, failed: 12, old: true },
  ];
  expect(prove({ ...good, probes })).toEqual({
    kind: 'failed',
    check: 'large',
    words: 'node-3 → node-7 fails for payloads of 1,450 bytes (12 of 12 probes); 800 bytes pass',
  });
});

test('a single probe that is lost as an agent restarts fails nobody', () => {
  const probes = good.probes.map((one) => ({ ...one, failed: 1 }));
  expect(prove({ ...good, probes })).toMatchObject({ kind: 'proved' });
});

test('what an agent says of itself proves nothing however much it says', () => {
  const { capture, counters, flows, regenerated, ...said } = good;
  expect([capture, counters, flows, regenerated]).not.toContain(undefined);
  expect(prove(said)).toMatchObject({ kind: 'not-yet' });
  // Counters and flows of no probe are no sign.
  expect(prove({ ...said, counters: { grew: 0, probed: 0 }, flows: { decrypted: 0, probed: 0 } })).toMatchObject({ kind: 'not-yet' });
});

test('a stage is as sure as its least sure pair, and none without pairs', () => {
  const { capture, ...counted } = good;
  expect(capture).toBeDefined();
  expect(proveStage([good, counted])).toEqual({ kind: 'proved', pairs: 2, by: 'counters' });
  expect(proveStage([])).toEqual({ kind: 'not-yet', words: ['no pair was probed'] });
  const broken = { ...good, drops: 2 };
  expect(proveStage([{ ...good, agentsReady: false }, broken])).toEqual({
    kind: 'failed',
    words: ['node-3 → node-7 2 drops for want of encryption'],
  });
});
