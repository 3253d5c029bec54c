import { describe, expect, it } from 'vitest';
import { planAb } from '../../../src/domain/canary/ab.ts';
import type { Header } from '../../../src/domain/canary/change.ts';
import { planCanary } from '../../../src/domain/canary/plan.ts';
import { parseRoute } from '../../../src/domain/canary/route.ts';
import type { JsonObject } from '../../../src/domain/json.ts';

const service = { cluster: 'demo', namespace: 'backend', name: 'backend' };
const header: Header = { name: 'x-canary', value: 'yes' };
const PATH = { path: { type: 'PathPrefix', value: '/' } };
const backend = (name: string, weight: number) => ({ group: '', kind: 'Service', name, port: 8080, weight });
const split: JsonObject = {
  matches: [PATH, { ...PATH, method: 'GET' }],
  filters: [{ type: 'RequestHeaderModifier', requestHeaderModifier: { set: [{ name: 'x-of-others', value: '1' }] } }],
  timeouts: { request: '10s' },
  backendRefs: [backend('backend', 90), backend('backend-canary', 10)],
};
/** Somebody else's header routing. */
const foreign: JsonObject = {
  name: 'testers',
  matches: [{ ...PATH, headers: [{ type: 'Exact', name: 'x-user', value: 'tester' }] }],
  backendRefs: [backend('backend-canary', 1)],
};

function plan(
  rules: readonly JsonObject[],
  wanted: Header | undefined,
  metadata: object = {},
  { name = 'backend', explicit = false } = {},
) {
  const live = {
    apiVersion: 'gateway.networking.k8s.io/v1',
    kind: 'HTTPRoute',
    metadata: { name: 'backend', namespace: 'backend', uid: 'u1', generation: 3, ...metadata },
    spec: { parentRefs: [{ name: 'mesh' }], rules },
  };
  const route = parseRoute(live);
  if (!route) throw new Error('not a route');
  return planAb({ routes: [route], rulesOf: () => rules, service: { ...service, name }, header: wanted, explicit, firstStage: 1 });
}
function writeOf(result: ReturnType<typeof plan>) {
  if (result.kind !== 'planned') throw new Error(JSON.stringify(result));
  return result.stages[0]?.writes[0];
}
const rulesAfter = (result: ReturnType<typeof plan>) => writeOf(result)?.after['/spec/rules'] as readonly JsonObject[];

describe('header A/B', () => {
  it('puts one rule before the others: same matches and filters, the header besides, the canary alone', () => {
    const result = plan([split, foreign], header);
    const [ours, ...others] = rulesAfter(result);
    const match = { type: 'Exact', name: 'x-canary', value: 'yes' };
    expect(ours).toEqual({
      ...split,
      name: 'meshops-ab-1',
      matches: [
        { ...PATH, headers: [match] },
        { ...PATH, method: 'GET', headers: [match] },
      ],
      backendRefs: [backend('backend-canary', 1)],
    });
    expect(others).toEqual([split, foreign]);
    expect(writeOf(result)?.before['/spec/rules']).toEqual([split, foreign]);
  });

  it('needs a gate, says who gets what, and keeps the weights', () => {
    const result = plan([split], header);
    expect(result).toMatchObject({
      from: 'no header rule',
      to: 'x-canary=yes to backend-canary',
      stages: [{ label: 'x-canary=yes', exposure: 0.1 }],
    });
    if (result.kind === 'planned') expect(result.explanation[0]).toContain('backend 90%, backend-canary 10%');
  });

  it('is exposed also where the weights give the canary nothing', () => {
    const none = { ...split, backendRefs: [backend('backend', 100), backend('backend-canary', 0)] };
    expect(plan([none], header)).toMatchObject({ stages: [{ exposure: 0.001 }] });
  });

  it('off takes exactly our rules away, needs no gate and no watch', () => {
    const on = rulesAfter(plan([split, foreign], header));
    const result = plan(on, undefined);
    expect(rulesAfter(result)).toEqual([split, foreign]);
    expect(result).toMatchObject({ to: 'no header rule', stages: [{ exposure: 0, soakMs: 0 }] });
  });

  it('another header replaces ours; the same one, and off without any, change nothing', () => {
    const on = rulesAfter(plan([split], header));
    expect(rulesAfter(plan(on, { name: 'x-canary', value: 'no' }))).toHaveLength(2);
    expect(plan(on, header)).toMatchObject({ kind: 'impossible', code: 'NothingToSplit', words: expect.stringContaining('already') });
    expect(plan([split], undefined)).toMatchObject({ kind: 'impossible', code: 'NothingToSplit' });
  });

  it('is refused where a rule matches the header already, in any case: of equivalent names only the first counts', () => {
    const taken = { ...split, matches: [{ ...PATH, headers: [{ type: 'Exact', name: 'X-Canary', value: 'v1' }] }] };
    expect(plan([taken], { name: 'x-canary', value: 'v2' })).toMatchObject({
      kind: 'impossible',
      code: 'HeaderTaken',
      words: expect.stringContaining('`x-canary: v1`'),
    });
    expect(plan([taken], { name: 'x-other', value: 'v2' })).toMatchObject({ kind: 'planned' });
    // A rule that does not split is not ours to copy: what it matches does not matter.
    expect(plan([split, { ...foreign, matches: taken.matches }], header)).toMatchObject({ kind: 'planned' });
  });

  it('is refused where the route would have more rules, headers or matches than the API allows', () => {
    const many = (rules: number): readonly JsonObject[] => Array.from({ length: rules }, () => split);
    expect(plan(many(8), header)).toMatchObject({ kind: 'planned' });
    expect(plan(many(9), header)).toMatchObject({
      kind: 'impossible',
      code: 'RouteFull',
      words: expect.stringContaining('has 9 rules, and the header needs 9 more; the Gateway API allows 16 rules'),
    });
    const headers = Array.from({ length: 16 }, (_, at) => ({ type: 'Exact', name: `x-${at}`, value: '1' }));
    expect(plan([{ ...split, matches: [{ ...PATH, headers }] }], header)).toMatchObject({ code: 'RouteFull' });
    expect(plan([{ ...split, matches: [{ ...PATH, headers: headers.slice(1) }] }], header)).toMatchObject({ kind: 'planned' });
    const matches = Array.from({ length: 64 }, (_, at) => ({ path: { type: 'PathPrefix', value: `/${at}` } }));
    expect(plan([{ ...split, matches }], header)).toMatchObject({ kind: 'planned' });
    expect(plan([{ ...split, matches }, foreign], header)).toMatchObject({
      code: 'RouteFull',
      words: expect.stringContaining('128 matches'),
    });
    // Taking the rules away again is never too much.
    expect(plan(rulesAfter(plan(many(8), header)), undefined)).toMatchObject({ kind: 'planned' });
  });

  it('offers the Services that could be meant, and takes the one that is named', () => {
    const even = { ...split, backendRefs: [backend('backend', 50), backend('next', 50)] };
    expect(plan([even], header)).toMatchObject({ kind: 'ambiguous', candidates: ['next', 'backend'] });
    expect(plan([even], header, {}, { name: 'next', explicit: true })).toMatchObject({ kind: 'planned', details: { receiver: 'next' } });
  });

  it('leaves routes of other controllers alone, and looks for a canary as a share does', () => {
    const owner = [{ apiVersion: 'flagger.app/v1beta1', kind: 'Canary', name: 'backend' }];
    expect(plan([split], header, { ownerReferences: owner })).toMatchObject({ code: 'OtherManager' });
    expect(plan([{ ...split, backendRefs: [backend('backend', 1)] }], header)).toMatchObject({ code: 'NoCanary' });
  });
});

describe('a share of the traffic beside header rules', () => {
  // Argo's plugin #158: setting weights zeroed header rules. Flagger #901, #1777: header access and weights exclude each other.
  it('moves the weights of the split alone; header rules of ours and of others keep theirs', () => {
    const rules = rulesAfter(plan([split, foreign], header));
    const live = parseRoute({
      apiVersion: 'gateway.networking.k8s.io/v1',
      kind: 'HTTPRoute',
      metadata: { name: 'backend', namespace: 'backend', uid: 'u1', generation: 4 },
      spec: { parentRefs: [{ name: 'mesh' }], rules },
    });
    const change = { kind: 'shift', percent: 25 } as const;
    const shifted = planCanary({ routes: live ? [live] : [], service, change, ladder: [25], firstStage: 1 });
    if (shifted.kind !== 'planned') throw new Error(JSON.stringify(shifted));
    expect(shifted.stages[0]?.writes[0]?.after).toEqual({
      '/spec/rules/1/backendRefs/0/name': 'backend',
      '/spec/rules/1/backendRefs/0/weight': 75,
      '/spec/rules/1/backendRefs/1/name': 'backend-canary',
      '/spec/rules/1/backendRefs/1/weight': 25,
    });
  });
});
