import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { changeOf } from '../../../src/domain/canary/change.ts';
import { CanaryDetails } from '../../../src/domain/canary/details.ts';
import { type CanaryInput, type CanaryPlan, planCanary } from '../../../src/domain/canary/plan.ts';
import { CANARY_ANNOTATION, type HttpRoute, parseRoute } from '../../../src/domain/canary/route.ts';
import { managedState } from '../../../src/domain/lifecycle/managed-state.ts';

type Backends = Readonly<Record<string, number | undefined>>;
function rule(backends: Backends) {
  return {
    backendRefs: Object.entries(backends).map(([name, weight]) => ({ name, port: 8080, ...(weight === undefined ? {} : { weight }) })),
  };
}
function route(rules: readonly Backends[], over: { metadata?: object; spec?: object } = {}): HttpRoute {
  const parsed = parseRoute({
    apiVersion: 'gateway.networking.k8s.io/v1',
    kind: 'HTTPRoute',
    metadata: { name: 'backend', namespace: 'backend', uid: 'u1', generation: 3, ...over.metadata },
    spec: { parentRefs: [{ name: 'mesh' }], rules: rules.map(rule), ...over.spec },
    status: { parents: [] },
  });
  if (!parsed) throw new Error('not a route');
  return parsed;
}
function plan(
  routes: readonly HttpRoute[],
  percent: number,
  over: Partial<CanaryInput> & { name?: string; explicit?: true; includeOthers?: true; steps?: number[] } = {},
) {
  return planCanary({
    routes,
    service: { cluster: 'demo', namespace: 'backend', name: over.name ?? 'backend' },
    change: {
      kind: 'shift',
      percent,
      ...(over.includeOthers ? { includeOthers: true } : {}),
      ...(over.steps ? { steps: over.steps } : {}),
      ...(over.explicit ? { explicit: true } : {}),
    },
    ladder: [1, 5, 10, 25, 50, 100],
    firstStage: over.firstStage ?? 1,
    ...(over.originals ? { originals: over.originals } : {}),
  });
}
function planned(result: CanaryPlan) {
  if (result.kind !== 'planned') throw new Error(JSON.stringify(result));
  return result;
}
function weights(result: CanaryPlan) {
  return planned(result).stages.map(({ writes }) =>
    writes.map(({ after }) => Object.entries(after).flatMap(([pointer, value]) => (pointer.endsWith('/weight') ? [value] : []))),
  );
}
const usual = () => route([{ backend: 100, 'backend-canary': 0 }]);

describe('what takes from one Service gives to the others', () => {
  const raises = (result: CanaryPlan) => (result.kind === 'impossible' && result.code === 'RaisesCanary' ? result.words : result.kind);

  it.each([0, 20])('a canary is raised by its own name alone, with its gates: not by giving the other %i percent', (percent) => {
    const words = raises(plan([route([{ backend: 40, 'backend-canary': 60 }])], percent, { explicit: true }));
    expect(words).toContain(`If it is meant: \`/mesh canary backend/backend-canary ${100 - percent}%\`.`);
    const annotated = route([{ backend: 40, next: 60 }], { metadata: { annotations: { [CANARY_ANNOTATION]: 'next' } } });
    expect(raises(plan([annotated], percent, { explicit: true }))).toContain('canary backend/next');
  });

  it('whom the last operation has exposed counts as a canary, beyond what it had before', () => {
    const live = route([{ v1: 40, v2: 60 }]);
    const fields = (v1: number, v2: number) => ({
      '/spec/rules/0/backendRefs/0/name': 'v1',
      '/spec/rules/0/backendRefs/0/weight': v1,
      '/spec/rules/0/backendRefs/1/name': 'v2',
      '/spec/rules/0/backendRefs/1/weight': v2,
    });
    const object = { apiVersion: 'gateway.networking.k8s.io/v1', kind: 'HTTPRoute', namespace: 'backend', name: 'backend' };
    const own = ['/spec/rules/0/backendRefs/1/weight'];
    const originals = [{ object, uid: 'u1', fields: fields(100, 0), own, token: null, digest: '' }];
    expect(raises(plan([live], 0, { name: 'v1', explicit: true, originals }))).toContain('canary backend/v2 100%');
    // Taking the exposed one out is the way back.
    expect(planned(plan([route([{ v1: 60, v2: 40 }])], 0, { name: 'v2', explicit: true, originals })).lowers).toBe(true);
  });

  it('the canary itself is always taken out', () => {
    expect(planned(plan([route([{ backend: 60, 'backend-canary': 40 }])], 0)).lowers).toBe(true);
    expect(planned(plan([route([{ backend: 0, 'backend-canary': 100 }])], 0, { name: 'backend-canary', explicit: true })).lowers).toBe(
      true,
    );
  });
});

describe('a canary plan', () => {
  it('moves the demo by one stage, in words and in fields', () => {
    const result = planned(plan([usual()], 10));
    expect(result).toMatchObject({ from: 'backend 100%, backend-canary 0%', to: 'backend 90%, backend-canary 10%' });
    expect(result.stages).toEqual([
      {
        number: 1,
        label: '10%',
        exposure: 0.1,
        writes: [
          {
            object: { apiVersion: 'gateway.networking.k8s.io/v1', kind: 'HTTPRoute', namespace: 'backend', name: 'backend' },
            uid: 'u1',
            generation: 3,
            before: {
              '/spec/rules/0/backendRefs/0/name': 'backend',
              '/spec/rules/0/backendRefs/0/weight': 100,
              '/spec/rules/0/backendRefs/1/name': 'backend-canary',
              '/spec/rules/0/backendRefs/1/weight': 0,
            },
            after: {
              '/spec/rules/0/backendRefs/0/name': 'backend',
              '/spec/rules/0/backendRefs/0/weight': 90,
              '/spec/rules/0/backendRefs/1/name': 'backend-canary',
              '/spec/rules/0/backendRefs/1/weight': 10,
            },
          },
        ],
      },
    ]);
    expect(result.explanation[0]).toBe('backend loses 10 points (100% to 90%), backend-canary gains 10 points (0% to 10%).');
    expect(result.explanation.join(' ')).toContain('traffic from outside through Gateway mesh: 1 rule of backend/backend');
    expect(CanaryDetails.parse(result.details)).toMatchObject({ receiver: 'backend-canary', others: ['backend'], traffic: ['gateway'] });
  });

  it('climbs with stages that continue each other', () => {
    const { stages } = planned(plan([usual()], 100, { firstStage: 4 }));
    expect(stages.map(({ number, label }) => [number, label])).toEqual([
      [4, '1%'],
      [5, '5%'],
      [6, '10%'],
      [7, '25%'],
      [8, '50%'],
      [9, '100%'],
    ]);
    stages.forEach((stage, index) => index > 0 && expect(stage.writes[0]?.before).toEqual(stages[index - 1]?.writes[0]?.after));
  });

  it('moves all rules and routes together, none against the direction, and leaves alone what is there', () => {
    const second = route([{ backend: 80, 'backend-canary': 20 }], { metadata: { name: 'second', uid: 'u2' } });
    const done = route([{ backend: 75, 'backend-canary': 25 }], { metadata: { name: 'done', uid: 'u3' } });
    expect(
      weights(
        plan(
          [
            route([
              { backend: 100, 'backend-canary': 0 },
              { backend: 1, 'backend-canary': undefined },
            ]),
            second,
            done,
          ],
          25,
        ),
      ),
    ).toEqual([
      [
        [99, 1, 75, 25],
        [80, 20],
      ],
      [
        [95, 5, 75, 25],
        [80, 20],
      ],
      [
        [90, 10, 75, 25],
        [80, 20],
      ],
      [
        [75, 25, 75, 25],
        [75, 25],
      ],
    ]);
  });

  it('keeps an absent weight absent until it changes', () => {
    const [stage] = planned(plan([route([{ backend: undefined, 'backend-canary': 0 }])], 10)).stages;
    expect(stage?.writes[0]?.before['/spec/rules/0/backendRefs/0/weight']).toBeNull();
    expect(stage?.writes[0]?.after['/spec/rules/0/backendRefs/0/weight']).toBe(90);
  });

  it('takes proportions from before the operation when all others are at 0, and asks without them', () => {
    const three = route([{ a: 0, b: 0, 'backend-canary': 100, backend: 0 }]);
    expect(plan([three], 40, { name: 'backend-canary', explicit: true })).toMatchObject({ kind: 'impossible', code: 'NeedProportions' });
    const fields = Object.fromEntries(
      ['a', 'b', 'backend-canary', 'backend'].flatMap((name, at) => [
        [`/spec/rules/0/backendRefs/${at}/name`, name],
        [`/spec/rules/0/backendRefs/${at}/weight`, [70, 20, 0, 10][at] ?? 0],
      ]),
    );
    const object = { apiVersion: 'gateway.networking.k8s.io/v1', kind: 'HTTPRoute', namespace: 'backend', name: 'backend' };
    const originals = [{ object, uid: 'u1', fields, token: null, digest: '' }];
    expect(weights(plan([three], 40, { name: 'backend-canary', explicit: true, originals }))).toEqual([[[42, 12, 40, 6]]]);
  });
});

describe('who receives', () => {
  const who = (result: CanaryPlan) => (result.kind === 'planned' ? CanaryDetails.parse(result.details).receiver : result);

  it('is named by the annotation before the name beside', () => {
    const annotated = route([{ backend: 90, 'backend-canary': 5, next: 5 }], {
      metadata: { annotations: { [CANARY_ANNOTATION]: 'next' } },
    });
    expect(who(plan([annotated], 10))).toBe('next');
    expect(who(plan([annotated], 10, { name: 'backend-canary', explicit: true }))).toBe('backend-canary');
    const wrong = route([{ backend: 100, other: 0 }], { metadata: { annotations: { [CANARY_ANNOTATION]: 'gone' } } });
    expect(plan([wrong], 10)).toMatchObject({ kind: 'impossible', code: 'CanaryNotInRoute' });
  });

  it('is the smaller one where it was named itself', () => {
    expect(who(plan([route([{ v1: 95, v2: 5 }])], 10, { name: 'v2' }))).toBe('v2');
    expect(who(plan([usual()], 10, { name: 'backend-canary' }))).toBe('backend-canary');
  });

  it('is never the one that has most of the traffic: a qualified name of it is the name of the service', () => {
    expect(who(plan([usual()], 10, { explicit: true }))).toBe('backend-canary');
    expect(plan([route([{ v1: 95, v2: 5 }])], 10, { name: 'v1', explicit: true })).toMatchObject({ kind: 'ambiguous', candidates: ['v2'] });
  });

  it('is not guessed where one step would take too much from the majority, and is taken when it is said', () => {
    expect(plan([usual()], 100, { steps: [100] })).toMatchObject({
      kind: 'ambiguous',
      code: 'MajorityFalls',
      candidates: ['backend-canary'],
    });
    const promoted = route([{ backend: 0, 'backend-canary': 100 }]);
    expect(plan([promoted], 0)).toMatchObject({ kind: 'ambiguous', code: 'MajorityFalls', candidates: ['backend-canary'] });
    expect(weights(plan([promoted], 0, { name: 'backend-canary', explicit: true }))).toEqual([[[100, 0]]]);
  });

  it('says what was looked for when there is nobody', () => {
    const result = plan([route([{ backend: 100 }])], 10);
    expect(result).toMatchObject({ kind: 'impossible', code: 'NoCanary' });
    expect(result.kind === 'impossible' && result.words).toContain('backend-canary beside backend in a rule');
    expect(plan([], 10)).toMatchObject({ code: 'NoRoute' });
    expect(plan([usual()], 0)).toMatchObject({ code: 'AlreadyThere' });
  });

  it('understands mesh traffic, where the Service is the parent', () => {
    const gamma = route([{ 'backend-v1': 100, 'backend-canary': 0 }], {
      spec: { parentRefs: [{ kind: 'Service', group: '', name: 'backend' }] },
    });
    const result = planned(plan([gamma], 5));
    expect(result.explanation.join(' ')).toContain('traffic inside the mesh to Service backend');
    expect(CanaryDetails.parse(result.details).traffic).toEqual(['service']);
  });

  it('shows routes of other namespaces and refuses, unless they are included; refuses routes that another controller writes', () => {
    const foreign = parseRoute({
      ...usual(),
      metadata: { ...usual().metadata, namespace: 'shop', uid: 'u9' },
      spec: { rules: [{ backendRefs: [{ name: 'backend', namespace: 'backend' }] }] },
    });
    const routes = [usual(), ...(foreign ? [foreign] : [])];
    expect(plan(routes, 10)).toMatchObject({ kind: 'impossible', code: 'RoutesElsewhere', words: expect.stringContaining('shop/backend') });
    const whole = planned(plan(routes, 10, { includeOthers: true }));
    expect(whole.stages[0]?.writes.map(({ object }) => object.namespace)).toEqual(['backend']);
    expect(whole.explanation.join(' ')).toContain('rule 1 of shop/backend');
    const canary = { name: 'backend-canary', namespace: 'backend', weight: 0 };
    const splitting = parseRoute({ ...foreign, spec: { rules: [{ backendRefs: [{ name: 'backend', namespace: 'backend' }, canary] }] } });
    const both = planned(plan([usual(), ...(splitting ? [splitting] : [])], 10, { includeOthers: true }));
    expect(both.stages[0]?.writes.map(({ object }) => object.namespace)).toEqual(['backend', 'shop']);
    expect(both.stages[0]?.writes[1]?.after).toMatchObject({
      '/spec/rules/0/backendRefs/0/weight': 90,
      '/spec/rules/0/backendRefs/1/weight': 10,
    });
    const owned = route([{ backend: 100, 'backend-canary': 0 }], {
      metadata: { ownerReferences: [{ apiVersion: 'flagger.app/v1beta1', kind: 'Canary', name: 'backend' }] },
    });
    expect(plan([owned], 10)).toMatchObject({ code: 'OtherManager' });
  });

  it('plans any share of any two backends exactly, and never beyond it', () => {
    fc.assert(
      fc.property(fc.nat(1000), fc.nat(1000), fc.nat(1000), (a, b, tenths) => {
        const result = plan([route([{ backend: a, 'backend-canary': b }])], tenths / 10, { name: 'backend-canary', explicit: true });
        if (result.kind !== 'planned') return;
        const [last] = weights(result).at(-1) ?? [];
        const [stable, canary] = (last ?? []) as number[];
        expect((canary ?? -1) * 1000).toBe(tenths * ((stable ?? 0) + (canary ?? 0)));
      }),
    );
  });
});

describe('a change and its state', () => {
  it('comes from the command', () => {
    expect(changeOf({ kind: 'promote', service: { name: 'b' }, options: {} })).toEqual({ kind: 'shift', percent: 100 });
    expect(changeOf({ kind: 'rollback', service: { name: 'b' }, options: {} })).toEqual({ kind: 'back' });
    expect(changeOf({ kind: 'canary', service: { namespace: 'a', name: 'b' }, percent: 5, options: { steps: [1] } })).toEqual({
      kind: 'shift',
      percent: 5,
      steps: [1],
      explicit: true,
    });
  });

  it('is equal without what the server sets, and with an empty map for none', () => {
    const object = { apiVersion: 'v1', kind: 'X', metadata: { name: 'a', labels: { a: 'b' } }, spec: { a: 1, b: 2 } };
    const served = {
      ...object,
      metadata: { ...object.metadata, annotations: {}, resourceVersion: '9', generation: 4 },
      spec: { b: 2, a: 1 },
      status: {},
    };
    expect(managedState(served)).toBe(managedState(object));
    expect(managedState({ ...object, metadata: { ...object.metadata, annotations: { a: 'b' } } })).not.toBe(managedState(object));
  });
});
