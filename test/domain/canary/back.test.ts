import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { planBack } from '../../../src/domain/canary/back.ts';
import type { Impossible, Planned } from '../../../src/domain/canary/planned.ts';
import { type HttpRoute, parseRoute } from '../../../src/domain/canary/route.ts';
import type { Fields } from '../../../src/domain/lifecycle/plan.ts';
import type { Completed } from '../../../src/domain/lifecycle/way-back.ts';

type Backends = Readonly<Record<string, number>>;
const OBJECT = { apiVersion: 'gateway.networking.k8s.io/v1', kind: 'HTTPRoute', namespace: 'backend', name: 'backend' };

function route(rules: readonly Backends[], metadata: object = {}): HttpRoute {
  const parsed = parseRoute({
    ...OBJECT,
    metadata: { name: 'backend', namespace: 'backend', uid: 'u1', generation: 3, ...metadata },
    spec: {
      parentRefs: [{ name: 'mesh' }],
      rules: rules.map((rule) => ({ backendRefs: Object.entries(rule).map(([name, weight]) => ({ name, port: 8080, weight })) })),
    },
  });
  if (!parsed) throw new Error('not a route');
  return parsed;
}

function fields(rules: readonly Backends[]): Fields {
  return Object.fromEntries(
    rules.flatMap((rule, index) =>
      Object.entries(rule).flatMap(([name, weight], at) => [
        [`/spec/rules/${index}/backendRefs/${at}/name`, name],
        [`/spec/rules/${index}/backendRefs/${at}/weight`, weight],
      ]),
    ),
  );
}

/** An operation that went from some weights to others. */
function completed(from: readonly Backends[], to: readonly Backends[], change: Partial<Completed> = {}): Completed {
  const writes = [{ object: OBJECT, uid: 'u1', generation: 2, before: fields(from), after: fields(to) }];
  const own = from.map((_, index) => `/spec/rules/${index}/backendRefs/1/weight`);
  return {
    opId: 'canary-1',
    originals: [{ object: OBJECT, uid: 'u1', fields: fields(from), own, token: null, digest: '' }],
    last: { number: 1, label: '', exposure: 0, writes },
    endedAt: Date.UTC(2026, 0, 1, 22, 4),
    by: 'operator@example.com',
    ...change,
  };
}

const LADDER = [1, 5, 10, 25, 50, 100];
function back(done: Completed | undefined, live: readonly HttpRoute[], of?: string) {
  return planBack({ completed: done, live, service: { name: 'backend' }, ladder: LADDER, firstStage: 1, ...(of !== undefined && { of }) });
}
function planned(result: Planned | Impossible): Planned {
  if (result.kind !== 'planned') throw new Error(result.words);
  return result;
}
function weights({ stages }: Planned) {
  return stages.map(({ writes }) =>
    writes.map(({ after }) => Object.entries(after).flatMap(([key, value]) => (key.endsWith('/weight') ? [value] : []))),
  );
}

const AT_0: Backends = { backend: 100, 'backend-canary': 0 };
const AT_10: Backends = { backend: 90, 'backend-canary': 10 };
const AT_50: Backends = { backend: 50, 'backend-canary': 50 };
const AT_100: Backends = { backend: 0, 'backend-canary': 100 };

describe('the way back', () => {
  it('from a canary is one step down to what was before, and needs nobody', () => {
    expect(back(completed([AT_0], [AT_10]), [route([AT_10], { generation: 7 })])).toMatchObject({
      kind: 'planned',
      lowers: true,
      back: { of: 'canary-1', completedAt: Date.UTC(2026, 0, 1, 22, 4) },
      from: 'backend 90%, backend-canary 10%',
      to: 'backend 100%, backend-canary 0%',
      details: { receiver: 'backend-canary', others: ['backend'], routes: [{ rules: [0], parents: [{ kind: 'Gateway', name: 'mesh' }] }] },
      stages: [{ label: 'back to 0%', exposure: 0, soakMs: 0, writes: [{ generation: 7, after: fields([AT_0]) }] }],
      gains: [{ namespace: 'backend', name: 'backend', share: 1 }],
    });
  });

  it('is refused after drift, after a reorder, and when the route is another one', () => {
    const done = completed([AT_0], [AT_10]);
    expect(back(done, [route([{ backend: 80, 'backend-canary': 20 }])])).toMatchObject({ code: 'Drifted' });
    expect(back(done, [route([{ 'backend-canary': 10, backend: 90 }])])).toMatchObject({ code: 'Drifted' });
    expect(back(done, [route([AT_10], { uid: 'u2' })])).toMatchObject({ code: 'Gone' });
    expect(back(done, [])).toMatchObject({ code: 'Gone' });
    expect(back(undefined, [])).toMatchObject({ code: 'NothingToUndo' });
  });

  it('is no target of another: since when, and by whom', () => {
    const done = completed([AT_10], [AT_0], { isWayBack: true });
    const result = back(done, [route([AT_0])]);
    expect(result).toMatchObject({ kind: 'impossible', code: 'AlreadyBack' });
    expect(result.kind === 'impossible' && result.words).toMatch(/canary-1, asked by operator@example.com, 2026-01-01 22:04 UTC/);
  });

  it('from a lowering is a forward change: it says so, climbs, is watched, and ends exactly at what was before', () => {
    const result = planned(back(completed([AT_50], [AT_10]), [route([AT_10])]));
    expect(result.lowers).toBe(false);
    expect(result.stages.map(({ label, exposure, soakMs }) => [label, exposure, soakMs])).toEqual([
      ['25%', 0.25, undefined],
      ['50%', 0.5, undefined],
    ]);
    expect(weights(result)).toEqual([[[75, 25]], [[50, 50]]]);
    expect(result.explanation.join(' ')).toMatch(/raises backend-canary from 10% to 50%.*forward change.*approval/);
    expect(result.watched.join(' ')).toContain('requests to backend-canary');
  });

  it('raises where one rule of several would rise, although another falls', () => {
    const done = completed([AT_0, AT_50], [AT_10, AT_10]);
    const result = planned(back(done, [route([AT_10, AT_10])]));
    expect(result.lowers).toBe(false);
    // The rule that falls goes at once; the other climbs.
    expect(weights(result)).toEqual([[[100, 0, 75, 25]], [[100, 0, 50, 50]]]);
  });

  it('knows what steps of one operation have left, not only the last of them', () => {
    const other = { ...OBJECT, name: 'other' };
    const from = { ...completed([AT_0], [AT_10]) };
    const write = (object: typeof OBJECT, before: Backends, after: Backends) => ({
      object,
      uid: object.name,
      generation: 1,
      before: fields([before]),
      after: fields([after]),
    });
    const last = { number: 2, label: '50%', exposure: 0.5, writes: [write(other, AT_10, AT_50)] };
    const originals = [OBJECT, other].map((object) => ({
      object,
      uid: object.name,
      fields: fields([AT_0]),
      own: ['/spec/rules/0/backendRefs/1/weight'],
      token: null,
      digest: '',
    }));
    const written = [
      { stage: 1, writes: [write(OBJECT, AT_0, AT_10), write(other, AT_0, AT_10)] },
      { stage: 2, writes: last.writes },
    ];
    const live = [route([AT_10], { uid: 'backend' }), route([AT_50], { name: 'other', uid: 'other' })];
    const result = planned(back({ ...from, originals, last, written }, live));
    expect(weights(result)).toEqual([
      [
        [100, 0],
        [100, 0],
      ],
    ]);
  });

  it('is refused where a button means another operation', () => {
    const done = completed([AT_0], [AT_10]);
    expect(back(done, [route([AT_10])], 'canary-0')).toMatchObject({ code: 'NotTheLast' });
    expect(back(done, [route([AT_10])], 'canary-1')).toMatchObject({ kind: 'planned' });
  });

  it('names who gains, so that somebody can look whether they can serve', () => {
    const result = planned(back(completed([AT_10], [AT_100]), [route([AT_100])]));
    expect(result).toMatchObject({ lowers: true, gains: [{ name: 'backend', share: 0.9 }] });
  });

  it('does not bring a header rule back unasked, and names the command that does', () => {
    const rule = (value: string) => ({ name: 'meshops-ab-1', matches: [{ headers: [{ type: 'Exact', name: 'x-canary', value }] }] });
    const change = (before: object, after: object) => {
      const writes = [
        { object: OBJECT, uid: 'u1', generation: 2, before: { '/spec/rules': [before] }, after: { '/spec/rules': [after] } },
      ] as never;
      const originals = [{ object: OBJECT, uid: 'u1', fields: { '/spec/rules': [before] as never }, token: null, digest: '' }];
      const live = { ...route([AT_0]), spec: { rules: [after] } } as never;
      return back({ ...completed([AT_0], [AT_0]), originals, last: { number: 1, label: '', exposure: 0.001, writes } }, [live]);
    };
    expect(change(rule('v1'), rule('v2'))).toMatchObject({
      code: 'HeaderAgain',
      words: expect.stringContaining('`/mesh ab backend x-canary=v1`'),
    });
    expect(change({ name: 'theirs' }, rule('v2'))).toMatchObject({ kind: 'planned', lowers: true });
  });

  it('never raises anybody in a step that nobody watches, whatever an operation has done', () => {
    const share = (rule: Backends) => (rule['backend-canary'] ?? 0) / Math.max(1, (rule['backend'] ?? 0) + (rule['backend-canary'] ?? 0));
    const some = fc.array(fc.tuple(fc.nat(100), fc.nat(100)), { minLength: 1, maxLength: 3 });
    const rules = (pairs: readonly (readonly [number, number])[]): Backends[] =>
      pairs.map(([a, b]) => ({ backend: a, 'backend-canary': b }));
    fc.assert(
      fc.property(some, some, (from, to) => {
        const size = Math.min(from.length, to.length);
        const [before, after] = [rules(from.slice(0, size)), rules(to.slice(0, size))];
        const result = back(completed(before, after), [route(after)]);
        if (result.kind !== 'planned') return;
        const rises = before.some((rule, index) => share(rule) > share(after[index] ?? {}) + 1e-9);
        expect(result.lowers).toBe(!rises);
        expect(result.stages.every(({ soakMs }) => (soakMs === 0) === !rises)).toBe(true);
        expect(result.stages.at(-1)?.writes[0]?.after).toEqual(fields(before));
      }),
    );
  });
});
