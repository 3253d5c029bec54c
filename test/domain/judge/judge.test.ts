import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { JsonObject } from '../../../src/domain/json.ts';
import { upperBound } from '../../../src/domain/judge/bound.ts';
import { createJudge } from '../../../src/domain/judge/create.ts';
import type { Evidence } from '../../../src/domain/judge/evidence.ts';
import { request, START, settings } from './traffic.ts';

const after = (ms: number) => START + ms;
function gap(ms: number, lost?: number): Evidence {
  return {
    kind: 'gap',
    at: after(ms),
    node: 'node-1',
    reason: 'stream ended',
    ...(lost === undefined ? {} : { lost }),
  };
}
function healthy(count: number, failures = 0) {
  return Array.from({ length: count }, (_, index) => request(after(index * 100), index % 25 === 20 && index < failures * 25));
}
function heard(events: readonly Evidence[], over = {}) {
  const judge = createJudge(settings(over));
  return { judge, verdicts: events.flatMap((event) => judge.hear(event) ?? []) };
}

describe('the judge', () => {
  it('names the first failure of the run that decided, not a stray one long before', () => {
    const events = [request(after(1_000), true), ...Array.from({ length: 300 }, (_, i) => request(after(2_000 + i * 100), false))];
    for (let i = 0; i < 8; i += 1) events.push(request(after(40_000 + i * 100), true));
    const [verdict] = heard(events).verdicts;
    expect(verdict).toMatchObject({ kind: 'harmful', judge: 'objective', firstHarmAt: after(40_000) });
    expect(verdict?.words).toMatch(/Canary: \d+ of 30\d requests failed .* more than the 1% allowed .* How: 500 \(\d\)\.$/);
  });

  it('stops at once when no endpoint of the canary is ready', () => {
    const { verdicts } = heard([
      { kind: 'readiness', at: after(5), service: 'backend', ready: 0 },
      { kind: 'readiness', at: after(9), service: 'backend-canary', ready: 0 },
    ]);
    expect(verdicts).toMatchObject([{ kind: 'harmful', judge: 'readiness', firstHarmAt: after(9), decidedAt: after(9) }]);
    expect(JSON.parse(JSON.stringify(verdicts))).toEqual(verdicts);
  });

  it('lets a canary without endpoints be taken out', () => {
    const { judge, verdicts } = heard([{ kind: 'readiness', at: after(9), service: 'backend-canary', ready: 0 }], { exposure: 0 });
    expect(verdicts).toEqual([]);
    expect(judge.conclude(after(120_000)).kind).toBe('healthy');
  });

  it('is blind at once when events were lost', () => {
    expect(heard([gap(100, 12)]).verdicts).toMatchObject([{ kind: 'blind', reason: '12 events of node-1 were lost (stream ended)' }]);
  });

  it('gives a stream 2 s to come back before it is blind, and says so once', () => {
    const tick = (ms: number): Evidence => ({ kind: 'tick', at: after(ms) });
    expect(heard([gap(100), tick(2_000), { kind: 'sight', at: after(2_050), node: 'node-1' }, tick(9_000)]).verdicts).toEqual([]);
    expect(heard([gap(100), tick(2_000), tick(2_101), tick(2_200)]).verdicts).toMatchObject([{ kind: 'blind' }]);
  });

  it('stays blind until sight, however healthy the rest looks', () => {
    const { judge } = heard([...healthy(200), gap(100, 1)]);
    expect(judge.conclude(after(20_000)).kind).toBe('blind');
    judge.hear({ kind: 'sight', at: after(20_001), node: 'node-1' });
    expect(judge.conclude(after(20_002)).kind).toBe('healthy');
  });

  it('remembers what was lost: fewer events than could break the objective change nothing, more leave it blind', () => {
    const lose = (events: number) => heard([...healthy(200), gap(100, events), { kind: 'sight', at: after(200), node: 'node-1' }]).judge;
    expect(lose(2).conclude(after(20_000)).kind).toBe('healthy');
    expect(lose(3).conclude(after(20_000))).toMatchObject({
      kind: 'blind',
      reason: expect.stringContaining('3 events of node-1 were lost'),
    });
    const resumed = createJudge(settings(), lose(50_000).snapshot());
    expect(resumed.conclude(after(20_000)).kind).toBe('blind');
  });

  it('waits for what comes late by all that is known, and says what it waits for', () => {
    const tick = (ms: number): Evidence => ({ kind: 'tick', at: after(ms) });
    const late: Evidence = { kind: 'gap', at: after(10_000), node: 'node-1', reason: 'late', patienceMs: 60_000 };
    const { judge, verdicts } = heard([...healthy(200), late, tick(20_000)]);
    expect(verdicts).toEqual([]);
    expect(judge.pending?.(after(20_000))).toContain('node-1');
    judge.hear({ kind: 'sight', at: after(20_001), node: 'node-1' });
    expect(judge.pending?.(after(20_002))).toBeUndefined();
    expect(judge.conclude(after(20_002)).kind).toBe('healthy');
    expect(heard([late, tick(70_000)]).verdicts).toEqual([]);
    expect(heard([late, tick(70_001)]).verdicts).toMatchObject([{ kind: 'blind' }]);
    // A stream that is away meanwhile has only its own time.
    const away = { ...gap(11_000), reason: 'gone' };
    expect(heard([late, away, tick(13_000)]).verdicts).toEqual([]);
    expect(heard([late, away, tick(13_001)]).verdicts).toMatchObject([{ kind: 'blind' }]);
  });

  it('still sees harm while it is blind', () => {
    const { verdicts } = heard([gap(100, 1), ...Array.from({ length: 8 }, (_, i) => request(after(200 + i * 10), true))]);
    expect(verdicts.map(({ kind }) => kind)).toContain('harmful');
  });

  it('reports drift with who and what, and stands by it', () => {
    const drift: Evidence = {
      kind: 'drift',
      at: after(1),
      object: 'HTTPRoute backend/backend',
      field: '/spec',
      manager: 'kubectl',
      found: '50',
    };
    const { judge, verdicts } = heard([drift]);
    expect(verdicts).toMatchObject([{ kind: 'drift', manager: 'kubectl', field: '/spec' }]);
    expect(judge.conclude(after(2)).kind).toBe('drift');
  });

  it.each([
    ['too little traffic', 49, 0, 'no-traffic'],
    ['enough, within the objective', 200, 2, 'healthy'],
    ['enough, within the objective in whole failures', 60, 1, 'healthy'],
    ['too few for even one failure', 49, 1, 'no-traffic'],
    ['enough, above the objective, not proved', 60, 2, 'blind'],
  ])('concludes with %s', (_, count, failures, kind) => {
    const { judge, verdicts } = heard(healthy(count, failures));
    expect(verdicts).toEqual([]);
    expect(judge.conclude(after(count * 100))).toMatchObject({ kind });
  });

  it('never fires without failures, and neither failures elsewhere nor time alone move it', () => {
    const event = fc.oneof(
      fc.nat(200_000).map((ms) => request(after(ms), false)),
      fc.nat(200_000).map((ms) => request(after(ms), true, 'stable')),
      fc.nat(200_000).map((ms): Evidence => ({ kind: 'tick', at: after(ms) })),
    );
    fc.assert(
      fc.property(fc.array(event, { maxLength: 300 }), (events) => {
        expect(heard(events, { alpha: 0.4 }).verdicts).toEqual([]);
      }),
    );
  });

  it('goes on from a snapshot that has been through JSON exactly where it was', () => {
    const event = fc.oneof(
      { arbitrary: fc.tuple(fc.nat(150_000), fc.boolean()).map(([ms, failed]) => request(after(ms), failed)), weight: 8 },
      fc.nat(150_000).map((ms) => request(after(ms), false, 'stable')),
      fc.nat(150_000).map((ms) => gap(ms)),
      fc.nat(150_000).map((ms): Evidence => ({ kind: 'sight', at: after(ms), node: 'node-1' })),
    );
    fc.assert(
      fc.property(fc.array(event, { minLength: 1, maxLength: 60 }), fc.nat(60), (events, cut) => {
        const whole = createJudge(settings());
        let part = createJudge(settings());
        events.forEach((each, index) => {
          if (index === cut) part = createJudge(settings(), JSON.parse(JSON.stringify(part.snapshot())) as JsonObject);
          expect(part.hear(each)).toEqual(whole.hear(each));
        });
        expect(part.conclude(after(200_000))).toEqual(whole.conclude(after(200_000)));
      }),
    );
  });

  it('begins anew from a snapshot of another version, without what that one may have heard', () => {
    const { judge } = heard(healthy(100));
    const earlier = { ...judge.snapshot(), version: 1 };
    expect(createJudge(settings(), earlier).counts.canary.requests).toBe(0);
    expect(createJudge(settings(), earlier).standing()[0]?.evidence).toBeLessThan(0.8);
  });
});

describe('the bound that people are shown', () => {
  it('narrows with requests and lies above what was seen', () => {
    expect(upperBound(0, 0, 0.05)).toBe(1);
    // Never below the exact bound of a single look (Clopper-Pearson: 1 - 0.05^(1/300)).
    expect(upperBound(0, 300, 0.05)).toBeGreaterThan(1 - 0.05 ** (1 / 300));
    expect(upperBound(0, 300, 0.05)).toBeLessThan(0.0125);
    expect(upperBound(10, 1_000, 0.05)).toBeGreaterThan(0.01);
    expect(upperBound(10, 1_000, 0.05)).toBeLessThan(0.03);
    expect(upperBound(5, 5, 0.05)).toBe(1);
  });
});
