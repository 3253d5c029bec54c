import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { guardedPatch, isBare, tokenIn } from '../../../activities/writes/guarded-patch.ts';
import { sortFields } from '../../../activities/writes/ours.ts';
import type { KubeObject } from '../../../src/clients/kubernetes/objects.ts';
import { ownFields } from '../../../src/domain/canary/own.ts';
import { planCanary } from '../../../src/domain/canary/plan.ts';
import { parseRoute } from '../../../src/domain/canary/route.ts';
import { canonicalJson, type Json } from '../../../src/domain/json.ts';
import type { RestoreInput } from '../../../src/domain/lifecycle/contract.ts';
import type { Original, PlannedStage } from '../../../src/domain/lifecycle/plan.ts';
import { applyPatch } from '../../support/json-patch.ts';

const service = { cluster: 'demo', namespace: 'backend', name: 'backend' };
const foreignFields = fc.record(
  {
    filters: fc.array(fc.record({ type: fc.constantFrom('RequestHeaderModifier', 'URLRewrite'), of: fc.string() }), { maxLength: 3 }),
    matches: fc.array(fc.record({ path: fc.webPath(), headers: fc.array(fc.string()) }), { maxLength: 3 }),
    timeouts: fc.record({ request: fc.constantFrom('1s', '10s') }),
    name: fc.string(),
  },
  { requiredKeys: [] },
);
const weight = fc.option(fc.nat({ max: 1_000 }), { nil: undefined });
function backendOf(name: string) {
  return fc
    .record({ weight, port: fc.constantFrom(80, 8080), filters: fc.array(fc.string(), { maxLength: 2 }) }, { requiredKeys: ['port'] })
    .map(({ weight: one, ...rest }) => ({ name, ...rest, ...(one === undefined ? {} : { weight: one }) }));
}
const rule = fc
  .tuple(foreignFields, fc.shuffledSubarray(['backend', 'backend-canary', 'backend-old', 'backend-blue'], { minLength: 1 }))
  .chain(([fields, names]) => fc.tuple(...names.map(backendOf)).map((backendRefs) => ({ ...fields, backendRefs })));
const routes = fc
  .record({
    rules: fc.array(rule, { minLength: 1, maxLength: 4 }),
    kind: fc.constantFrom('HTTPRoute', 'GRPCRoute'),
    annotations: fc.option(fc.dictionary(fc.constantFrom('a', 'b/c', 'd~e'), fc.string()), { nil: undefined }),
    parent: fc.constantFrom({ name: 'mesh' }, { kind: 'Service', group: '', name: 'backend' }),
  })
  .map(({ rules, kind, annotations, parent }) => ({
    apiVersion: 'gateway.networking.k8s.io/v1',
    kind,
    metadata: {
      name: 'backend',
      namespace: 'backend',
      uid: 'u1',
      generation: 1,
      resourceVersion: '1',
      ...(annotations && { annotations }),
    },
    spec: { parentRefs: [parent], hostnames: ['a.example.com'], rules },
  }));
type Live = KubeObject & { readonly spec: { readonly rules: readonly { readonly backendRefs: readonly object[] }[] } };

/** The route without weights of rules that split with the canary, and without our token. */
function foreign(route: unknown): string {
  const copy = structuredClone(route) as {
    metadata: { annotations?: Record<string, string> };
    spec: { rules: { backendRefs: { weight?: number }[] }[] };
  };
  for (const { backendRefs } of copy.spec.rules) for (const backend of backendRefs) delete backend.weight;
  if (copy.metadata.annotations) delete copy.metadata.annotations['meshops.dev/operation'];
  if (Object.keys(copy.metadata.annotations ?? {}).length === 0) delete copy.metadata.annotations;
  return canonicalJson(copy as unknown as Json);
}

function write(live: Live, stage: PlannedStage): Live {
  const [one] = stage.writes;
  if (!one) return live;
  const token = { from: tokenIn(live), to: `canary-x/${stage.number}` };
  const after = applyPatch(live, guardedPatch({ uid: one.uid, token, from: one.before, to: one.after, bare: isBare(live) }));
  if (after === undefined) throw new Error('a test of the patch did not hold');
  return after as Live;
}

function restored(live: Live, original: Original, stages: readonly PlannedStage[]): Live {
  const written: RestoreInput['written'] = stages.map(({ number, writes }) => ({ stage: number, writes }));
  const { from, to } = sortFields(live, original, { written });
  const token = { from: tokenIn(live), to: original.token };
  return applyPatch(live, guardedPatch({ uid: original.uid, token, from, to, bare: isBare(live) })) as Live;
}

describe('patches of a canary', () => {
  it('change nothing but weights and the token, at every stage; the undo gives back the very same object', () => {
    let moved = 0;
    fc.assert(
      fc.property(routes, fc.nat({ max: 1000 }), (live, tenths) => {
        const route = parseRoute(live);
        if (!route) throw new Error('not a route');
        const change = { kind: 'shift', percent: tenths / 10, explicit: true } as const;
        const planned = planCanary({ routes: [route], service, change, ladder: [1, 5, 10, 25, 50, 100], firstStage: 1 });
        if (planned.kind !== 'planned') return;
        moved += 1;
        const before = planned.stages[0]?.writes[0]?.before ?? {};
        const object = { apiVersion: live.apiVersion, kind: live.kind, namespace: 'backend', name: 'backend' };
        const original: Original = { object, uid: 'u1', fields: before, own: ownFields(before, 'backend-canary'), token: null, digest: '' };
        let now = live as unknown as Live;
        for (const stage of planned.stages) {
          now = write(now, stage);
          expect(foreign(now)).toBe(foreign(live));
        }
        const { annotations, ...metadata } = restored(now, original, planned.stages).metadata;
        expect(canonicalJson({ ...restored(now, original, planned.stages), metadata } as unknown as Json)).toBe(
          canonicalJson({ ...live, metadata: { ...live.metadata, annotations: undefined } } as unknown as Json),
        );
        expect(annotations ?? {}).toEqual(live.metadata.annotations ?? {});
      }),
      { numRuns: 400 },
    );
    expect(moved).toBeGreaterThan(50);
  });
});

describe('an undo beside another hand', () => {
  const fieldsOf = (stable: number, canary: number) => ({
    '/spec/rules/0/backendRefs/0/name': 'backend',
    '/spec/rules/0/backendRefs/0/weight': stable,
    '/spec/rules/0/backendRefs/1/name': 'backend-canary',
    '/spec/rules/0/backendRefs/1/weight': canary,
  });
  const object = { apiVersion: 'gateway.networking.k8s.io/v1', kind: 'HTTPRoute', namespace: 'backend', name: 'backend' };
  const original: Original = {
    object,
    uid: 'u1',
    fields: fieldsOf(100, 0),
    own: ownFields(fieldsOf(100, 0), 'backend-canary'),
    token: null,
    digest: '',
  };
  const written: RestoreInput['written'] = [
    { stage: 1, writes: [{ object, uid: 'u1', generation: 1, before: fieldsOf(100, 0), after: fieldsOf(90, 10) }] },
  ];
  const undone = (stable: number, canary: number) => {
    const backendRefs = [
      { name: 'backend', weight: stable },
      { name: 'backend-canary', weight: canary },
    ];
    const live = { ...object, metadata: { name: 'backend', namespace: 'backend', uid: 'u1' }, spec: { rules: [{ backendRefs }] } };
    const { from, to } = sortFields(live as unknown as KubeObject, original, { written });
    const after = applyPatch(live, guardedPatch({ uid: 'u1', token: { from: null, to: null }, from, to, bare: true })) as typeof live;
    return after.spec.rules[0]?.backendRefs.map((backend) => backend.weight);
  };

  it.each([
    ['nobody else', 90, 10, [100, 0]],
    ["another's weight of stable stays, the canary's goes back", 50, 10, [50, 0]],
    ["the canary's own weight goes back whoever raised it, and nothing else moves", 90, 30, [90, 0]],
    ['both changed: the own weight alone', 60, 40, [60, 0]],
    ['a service that was given all the traffic keeps it: no weight at all would be an outage', 0, 100, [0, 100]],
  ])('%s', (_what, stable, canary, expected) => {
    expect(undone(stable, canary)).toEqual(expected);
  });

  // Weights of stable and canary, rule by rule; a name alone is a rule with another backend.
  type Rules = readonly (readonly [number, number] | string)[];
  const rulesOf = (rules: Rules) =>
    rules.map((rule) => ({
      backendRefs:
        typeof rule === 'string'
          ? [{ name: rule, weight: 1 }]
          : [
              { name: 'backend', weight: rule[0] },
              { name: 'backend-canary', weight: rule[1] },
            ],
    }));
  const ruleFields = (rules: Rules) =>
    Object.fromEntries(
      rulesOf(rules).flatMap(({ backendRefs }, rule) =>
        backendRefs.length === 1
          ? []
          : backendRefs.flatMap(({ name, weight }, at) => [
              [`/spec/rules/${rule}/backendRefs/${at}/name`, name] as const,
              [`/spec/rules/${rule}/backendRefs/${at}/weight`, weight] as const,
            ]),
      ),
    );
  const undoneRules = (before: Rules, after: Rules, found: Rules) => {
    const fields = ruleFields(before);
    const one: Original = { object, uid: 'u1', fields, own: ownFields(fields, 'backend-canary'), token: null, digest: '' };
    const writes = [{ object, uid: 'u1', generation: 1, before: fields, after: ruleFields(after) }];
    const live = { ...object, metadata: { name: 'backend', namespace: 'backend', uid: 'u1' }, spec: { rules: rulesOf(found) } };
    const { from, to, drift } = sortFields(live as unknown as KubeObject, one, { written: [{ stage: 1, writes }] });
    const patched = applyPatch(live, guardedPatch({ uid: 'u1', token: { from: null, to: null }, from, to, bare: true })) as typeof live;
    const rules = patched.spec.rules.map(({ backendRefs: [first, second] }) => (second ? [first?.weight, second.weight] : first?.name));
    return { rules, isTold: drift.length > 0 };
  };

  it.each<[string, Rules, Rules, Rules, Rules]>([
    ['was put before it', [[100, 0]], [[90, 10]], ['other', [90, 10]], ['other', [100, 0]]],
    [
      'with the same backends was put before it',
      [[100, 0]],
      [[90, 10]],
      [
        [100, 0],
        [90, 10],
      ],
      [
        [100, 0],
        [100, 0],
      ],
    ],
    [
      'of others with a canary of their own was put before it',
      [[100, 0]],
      [[90, 10]],
      [
        [50, 50],
        [90, 10],
      ],
      [
        [50, 50],
        [100, 0],
      ],
    ],
    [
      'was put before two of ours',
      [
        [100, 0],
        [95, 5],
      ],
      [
        [90, 10],
        [90, 10],
      ],
      [
        [100, 0],
        [90, 10],
        [90, 10],
      ],
      [
        [100, 0],
        [100, 0],
        [95, 5],
      ],
    ],
    [
      'was put between two of ours',
      [
        [100, 0],
        [95, 5],
      ],
      [
        [90, 10],
        [80, 20],
      ],
      [[90, 10], 'other', [80, 20]],
      [[100, 0], 'other', [95, 5]],
    ],
    ['before it was taken away', ['other', [100, 0]], ['other', [90, 10]], [[90, 10]], [[100, 0]]],
    [
      'of two of ours was taken away',
      [
        [100, 0],
        [95, 5],
      ],
      [
        [90, 10],
        [80, 20],
      ],
      [[80, 20]],
      [[80, 5]],
    ],
    [
      'behind it was added as a copy of it',
      [[100, 0]],
      [[90, 10]],
      [
        [90, 10],
        [90, 10],
      ],
      [
        [100, 0],
        [100, 0],
      ],
    ],
    [
      'behind it was added',
      [[100, 0]],
      [[90, 10]],
      [
        [90, 10],
        [100, 0],
      ],
      [
        [100, 0],
        [100, 0],
      ],
    ],
  ])('puts its own rule back where a rule %s', (_what, before, after, found, expected) => {
    const { rules, isTold } = undoneRules(before, after, found);
    expect(rules).toEqual(expected);
    // What is where it was is nothing to tell of.
    expect(isTold).toBe(_what !== 'behind it was added');
  });

  it.each([
    ['everything to the canary: it stays', [100, 0], [0, 100], false, [0, 100]],
    ['everything to a canary that fails: all goes back', [100, 0], [0, 100], true, [100, 0]],
    ['more to the canary: that goes', [100, 0], [75, 25], false, [75, 0]],
    ['nothing to the canary: an undo gives it nothing', [95, 5], [100, 0], false, [100, 0]],
    ['nothing to the canary, and what is left fails: an undo gives it nothing', [95, 5], [100, 0], true, [100, 0]],
    ['small numbers and a large share: they stay', [95, 5], [1, 3], false, [1, 3]],
    ['small numbers and a large share that fails: all goes back', [95, 5], [1, 3], true, [95, 5]],
  ])('where another hand has given %s', (_what, [stable = 0, canary = 0], [theirs = 0, own = 0], harm, expected) => {
    const [stableAt, canaryAt] = ['/spec/rules/0/backendRefs/0/weight', '/spec/rules/0/backendRefs/1/weight'];
    const fields = { [stableAt]: stable, [canaryAt]: canary };
    const one: Original = { object, uid: 'u1', fields, own: [canaryAt], token: null, digest: '' };
    const writes = [{ object, uid: 'u1', generation: 1, before: fields, after: { [stableAt]: 90, [canaryAt]: 10 } }];
    const backendRefs = [
      { name: 'backend', weight: theirs },
      { name: 'backend-canary', weight: own },
    ];
    const live = { ...object, metadata: { name: 'backend', namespace: 'backend', uid: 'u1' }, spec: { rules: [{ backendRefs }] } };
    const { from, to } = sortFields(live as unknown as KubeObject, one, { written: [{ stage: 1, writes }], harm });
    const after = applyPatch(live, guardedPatch({ uid: 'u1', token: { from: null, to: null }, from, to, bare: true })) as typeof live;
    expect(after.spec.rules[0]?.backendRefs.map(({ weight }) => weight)).toEqual(expected);
  });

  it.each([
    ['as it is', {}],
    ['although they have changed it', { timeouts: { request: '3s' } }],
  ])('takes its own rule out of a list that others have changed, %s, and leaves theirs', (_what, changed) => {
    const [ours, split] = [{ name: 'meshops-ab-1', to: 'canary' }, { to: 'both' }];
    const field = '/spec/rules';
    const one: Original = { object, uid: 'u1', fields: { [field]: [split] }, own: [field], token: null, digest: '' };
    const wrote: RestoreInput['written'] = [
      { stage: 1, writes: [{ object, uid: 'u1', generation: 1, before: { [field]: [split] }, after: { [field]: [ours, split] } }] },
    ];
    const theirs = { to: 'theirs' };
    const live = {
      ...object,
      metadata: { name: 'backend', namespace: 'backend', uid: 'u1' },
      spec: { rules: [theirs, { ...ours, ...changed }, split] },
    };
    const { from, to, drift } = sortFields(live as unknown as KubeObject, one, { written: wrote });
    const after = applyPatch(live, guardedPatch({ uid: 'u1', token: { from: null, to: null }, from, to, bare: true })) as typeof live;
    expect(after.spec.rules).toEqual([theirs, split]);
    expect(drift).toHaveLength(1);
  });
});
