import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { probeRequest } from '../../../src/domain/canary/probe-request.ts';
import { ruleFor } from '../../../src/domain/canary/rule-match.ts';
import type { JsonObject } from '../../../src/domain/json.ts';

const under = (value: string, more: JsonObject = {}): JsonObject => ({ matches: [{ path: { type: 'PathPrefix', value }, ...more }] });
const exact = (value: string, more: JsonObject = {}): JsonObject => ({ matches: [{ path: { type: 'Exact', value }, ...more }] });
const GET = { method: 'GET', headers: {} };

describe('a request of our own', () => {
  it.each<[string, readonly JsonObject[], number, object]>([
    ['goes to the rule that is moved, not to the first', [under('/static'), under('/')], 1, { ...GET, path: '/' }],
    ['takes an exact path', [under('/'), exact('/health')], 1, { ...GET, path: '/health' }],
    [
      'carries headers, method and query that the rule asks for',
      [
        under('/api', {
          method: 'HEAD',
          headers: [{ name: 'X-Version', value: '2' }],
          queryParams: [{ name: 'beta', value: 'a b' }],
        }),
      ],
      0,
      { method: 'HEAD', path: '/api?beta=a%20b', headers: { 'x-version': '2' } },
    ],
    ['goes round a rule that would take the prefix itself', [under('/shop'), exact('/shop')], 0, { ...GET, path: '/shop/meshops-probe' }],
    ['goes round a longer prefix', [under('/'), under('/a')], 0, { ...GET, path: '/' }],
    [
      'takes the next match where the first cannot be asked',
      [{ matches: [{ path: { type: 'PathPrefix', value: '/a' }, method: 'POST' }, { path: { type: 'PathPrefix', value: '/b' } }] }],
      0,
      { ...GET, path: '/b' },
    ],
    ['needs no match where the rule has none', [{}], 0, { ...GET, path: '/' }],
    [
      'sends the first of equivalent header names',
      [
        under('/', {
          headers: [
            { name: 'X-A', value: '1' },
            { name: 'x-a', value: '2' },
          ],
        }),
      ],
      0,
      { ...GET, path: '/', headers: { 'x-a': '1' } },
    ],
  ])('%s', (_, rules, moved, request) => {
    expect(probeRequest(rules, [moved])).toEqual(request);
  });

  it.each<[string, readonly JsonObject[], number, string]>([
    ['a rule for writes is not probed', [under('/', { method: 'POST' })], 0, 'takes POST only'],
    [
      'a header by a regular expression',
      [under('/', { headers: [{ type: 'RegularExpression', name: 'x', value: '.*' }] })],
      0,
      'regular expression',
    ],
    ['a path by a regular expression', [{ matches: [{ path: { type: 'RegularExpression', value: '/v[12]' } }] }], 0, 'regular expression'],
    ['a rule that another one hides', [exact('/a'), exact('/a')], 1, 'another rule of the route takes /a'],
  ])('%s: it says why', (_, rules, moved, reason) => {
    expect(probeRequest(rules, [moved])).toMatchObject({ reason: expect.stringContaining(reason) });
  });

  it('takes the path that people asked for where a moved rule does, and says so where none does', () => {
    const rules = [under('/static'), under('/')];
    expect(probeRequest(rules, [1], '/healthz?deep=1')).toEqual({ ...GET, path: '/healthz?deep=1' });
    expect(probeRequest(rules, [1], '/static/a.css')).toEqual({ reason: 'another rule of the route takes /static/a.css' });
    expect(probeRequest([under('/api')], [0], '/healthz')).toEqual({ reason: 'no moved rule takes /healthz' });
  });

  it('always reaches a moved rule, if it is made at all', () => {
    const path = fc.constantFrom('/', '/a', '/a/b', '/b');
    const match = fc.record({
      path: fc.record({ type: fc.constantFrom('Exact', 'PathPrefix'), value: path }),
      method: fc.constantFrom('GET', 'HEAD'),
      headers: fc.subarray([
        { name: 'x-a', value: '1' },
        { name: 'X-B', value: '2' },
      ]),
    });
    const rules = fc.array(fc.record({ matches: fc.array(match, { minLength: 1, maxLength: 3 }) }), { minLength: 1, maxLength: 4 });
    fc.assert(
      fc.property(rules, fc.nat(3), (all, index) => {
        const moved = index % all.length;
        const made = probeRequest(all as readonly JsonObject[], [moved]);
        if (!('reason' in made)) expect(ruleFor(all as readonly JsonObject[], made)).toBe(moved);
      }),
    );
  });
});
