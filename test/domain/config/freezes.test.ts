import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { FreezeRule } from '../../../src/domain/config/freeze-rule.ts';
import { standingFreezes } from '../../../src/domain/config/freezes.ts';

const rule = (times: Record<string, unknown>): FreezeRule => FreezeRule.parse({ scope: 'demo', reason: 'rest', ...times });
function until(times: Record<string, unknown>, now: string): string | undefined {
  const [freeze] = standingFreezes([rule(times)], Date.parse(now));
  return freeze && new Date(freeze.until).toISOString().slice(0, 16);
}
function refusal(times: Record<string, unknown>): string | undefined {
  return FreezeRule.safeParse({ scope: 'demo', reason: 'rest', ...times })
    .error?.issues.map((issue) => issue.message)
    .join();
}

describe('between two instants', () => {
  const times = { from: '2026-12-24T12:00:00+01:00', until: '2027-01-04T08:00:00Z' };
  it.each([
    ['2026-12-24T10:59:59Z', undefined],
    ['2026-12-24T11:00:00Z', '2027-01-04T08:00'],
    ['2027-01-04T07:59:59Z', '2027-01-04T08:00'],
    ['2027-01-04T08:00:00Z', undefined],
  ])('at %s: %s', (now, end) => expect(until(times, now)).toBe(end));
});

describe('every week', () => {
  const times = { from: 'fri 16:00', until: 'mon 08:00', zone: 'Europe/Berlin' };
  it.each([
    // Winter: UTC+1. 2026-01-02 is a Friday.
    ['2026-01-02T14:59:59Z', undefined],
    ['2026-01-02T15:00:00Z', '2026-01-05T07:00'],
    ['2026-01-05T06:59:59Z', '2026-01-05T07:00'],
    ['2026-01-05T07:00:00Z', undefined],
    // Summer time begins on Sunday 2026-03-29: the end is an hour earlier in UTC, and is told so from the beginning.
    ['2026-03-27T15:00:00Z', '2026-03-30T06:00'],
    ['2026-03-30T05:59:00Z', '2026-03-30T06:00'],
    ['2026-03-30T06:00:00Z', undefined],
    // It ends on Sunday 2026-10-25.
    ['2026-10-23T14:00:00Z', '2026-10-26T07:00'],
  ])('at %s: %s', (now, end) => expect(until(times, now)).toBe(end));
  it('up to the end of a day', () => {
    expect(until({ from: 'sat 00:00', until: 'sun 24:00', zone: 'UTC' }, '2026-01-04T23:59:00Z')).toBe('2026-01-05T00:00');
  });
});

describe('every day', () => {
  const times = { from: '18:00', until: '08:00', zone: 'America/New_York' };
  it.each([
    ['2026-01-02T22:59:00Z', undefined],
    ['2026-01-02T23:00:00Z', '2026-01-03T13:00'],
    ['2026-01-03T12:59:59Z', '2026-01-03T13:00'],
    ['2026-01-03T13:00:00Z', undefined],
  ])('at %s: %s', (now, end) => expect(until(times, now)).toBe(end));
});

it('whoever is stopped is told an end that lies ahead, by at most one window and the step of summer time', () => {
  const time = fc
    .tuple(fc.integer({ min: 0, max: 23 }), fc.integer({ min: 0, max: 59 }))
    .map(([h, m]) => `${String(h).padStart(2, '0')}:${String(m).padStart(2, '0')}`);
  const zone = fc.constantFrom('UTC', 'Europe/Berlin', 'America/New_York', 'Australia/Lord_Howe', 'Asia/Kathmandu');
  const now = fc.integer({ min: Date.UTC(2026, 0, 1), max: Date.UTC(2027, 0, 1) });
  fc.assert(
    fc.property(time, time, zone, now, (from, end, where, at) => {
      fc.pre(from !== end);
      const [freeze] = standingFreezes([rule({ from, until: end, zone: where })], at);
      if (!freeze) return;
      expect(freeze.until).toBeGreaterThan(at);
      expect(freeze.until - at).toBeLessThanOrEqual(25 * 3_600_000);
      expect(freeze.setAt).toBeLessThanOrEqual(at);
    }),
    { numRuns: 300 },
  );
});

it.each([
  [{ from: '2026-02-30T00:00:00Z', until: '2026-03-01T00:00:00Z' }, '`2026-02-30T00:00:00Z` is no time'],
  [{ from: '2026-02-01T00:00:00', until: '2026-03-01T00:00:00Z' }, 'is no time. Write an instant with its zone'],
  [{ from: '2026-03-01T00:00:00Z', until: '2026-03-01T00:00:00Z' }, 'would end before it begins'],
  [{ from: '2026-03-01T00:00:00Z', until: '2026-03-02T00:00:00Z', zone: 'UTC' }, 'leave `zone` out'],
  [{ from: 'fri 16:00', until: '2026-03-02T00:00:00Z', zone: 'UTC' }, 'in the same form'],
  [{ from: 'fri 16:00', until: 'mon 08:00' }, 'in which `zone`'],
  [{ from: '16:00', until: '16:00', zone: 'UTC' }, 'at the same time'],
  [{ from: '24:01', until: '16:00', zone: 'UTC' }, '`24:01` is no time'],
  [{ from: '18:00', until: '08:00', zone: 'Mars/Olympus' }, 'No such time zone'],
  [{ from: '18:00', until: '08:00', zone: '+02:00' }, 'No such time zone'],
  [{ from: '18:00', until: '08:00', zone: 'UTC', scope: 'a/b/c/d' }, 'a cluster, cluster/namespace'],
  [{ from: '18:00', until: '08:00', zone: 'UTC', reason: '  ' }, 'Say the reason'],
])('%o is refused: %s', (times, words) => expect(refusal(times)).toContain(words));
