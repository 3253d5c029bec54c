import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { JsonObject } from '../../../../src/domain/json.ts';
import { compilePolicies } from '../../../../src/domain/policy/evaluator.ts';
import type { PolicyFlow } from '../../../../src/domain/policy/flow.ts';
import { USUAL_SHAPE } from '../../../../src/domain/policy/stages/levels.ts';
import { atOnce, checkStages, shapeOf } from '../../../../src/domain/policy/stages/shape.ts';
import { cluster, flow, way } from '../arbitrary.ts';
import { cnp, outside, pod, valid } from '../cluster.ts';
import { OP } from './documents.ts';
import { decidedOnTheWay, inputOf } from './way.ts';

const RUNS = { numRuns: Number(process.env.MESHOPS_PROPERTY_RUNS ?? 20) };

function labelsOf(input: ReturnType<typeof inputOf>, shape = atOnce(shapeOf(input)).shape) {
  return input.stagesOf(shape).map(({ label }) => label);
}
const named = (spec: object): JsonObject => cnp(spec, { name: 'way', namespace: 'back' }) as JsonObject;
const DENY_ALL = cnp({ ingress: [{ fromEntities: ['ingress'] }] }, { name: 'baseline', namespace: 'back' }) as JsonObject;
const GET_PUBLIC = named({
  ingress: [
    {
      fromEntities: ['world'],
      toPorts: [{ ports: [{ port: '8080', protocol: 'TCP' }], rules: { http: [{ method: 'GET', path: '/public/.*' }] } }],
    },
  ],
});

describe('the way to a candidate', () => {
  it('under a default deny never opens a request that the candidate refuses: layer 7 comes with its direction', () => {
    const input = inputOf({ others: [DENY_ALL], before: undefined, candidate: GET_PUBLIC });
    expect(atOnce(checkStages(input, input.stagesOf(USUAL_SHAPE))).breach).toMatchObject({ kind: 'opens', state: 'ingress, 1 pod of 4' });
    expect(labelsOf(input)).toEqual(['ingress, 1 pod of 4', 'ingress, 2 pods of 4', 'ingress, all pods']);
    const deletes: PolicyFlow = {
      source: outside(),
      destination: pod('back', 'server', [`k8s:meshops.dev/cohort=${OP}`]),
      protocol: 'TCP',
      destinationPort: 8080,
      http: { method: 'DELETE', path: '/admin', host: 'server' },
    };
    for (const policies of decidedOnTheWay(input, atOnce(shapeOf(input)).shape)) {
      expect(compilePolicies(policies, cluster).decide(deletes).verdict).toBe('denied');
    }
  });

  it('from nothing goes layer by layer, as carefully as it can', () => {
    const input = inputOf({ others: [], before: undefined, candidate: GET_PUBLIC }, ['ingress']);
    expect(labelsOf(input).at(-1)).toBe('L7, all pods');
  });

  it('brings authentication with its direction where something else denies', () => {
    const candidate = named({ ingress: [{ fromEntities: ['world'], authentication: { mode: 'required' } }] });
    const input = inputOf({ others: [DENY_ALL], before: undefined, candidate });
    expect(labelsOf(input).every((label) => label.startsWith('ingress'))).toBe(true);
    expect(labelsOf(inputOf({ others: [], before: undefined, candidate })).at(-1)).toBe('L7, all pods');
  });

  it('takes the other direction first where one end opens what the other end closes', () => {
    const self = { fromEndpoints: [{ matchLabels: { app: 'server' } }] };
    const other = { toEndpoints: [{ matchLabels: { app: 'dns' } }] };
    const before = named({ ingress: [{ fromEntities: ['ingress'] }], egress: [{ toEntities: ['all'] }] });
    const candidate = named({ ingress: [self], egress: [other] });
    const input = inputOf({ others: [], before, candidate });
    expect(labelsOf(input)[0]).toBe('egress, 1 pod of 4');
  });

  it('is one step where both ends would open and close', () => {
    const [a, b] = ['7000', '7001'].map((port) => ({ toPorts: [{ ports: [{ port, protocol: 'TCP' }] }] }));
    const before = named({ ingress: [a], egress: [b] });
    const candidate = named({ ingress: [b], egress: [a] });
    const { shape, breaches } = atOnce(shapeOf(inputOf({ others: [], before: before, candidate })));
    expect(shape).toMatchObject({ cohorts: false, order: [] });
    expect(breaches.map(({ direction }) => direction)).toContain(undefined);
  });

  it('is one step where there is more to look at than can be', () => {
    const peers = Array.from({ length: 12 }, (_, index) => ({ matchLabels: { [`key${index}`]: 'v' } }));
    const candidate = named({ ingress: [{ fromEndpoints: peers.slice(0, 6) }, ...peers.map((one) => ({ fromEndpoints: [one] }))] });
    expect(atOnce(shapeOf(inputOf({ others: [DENY_ALL], before: undefined, candidate })))).toMatchObject({
      cut: true,
      shape: { cohorts: false },
    });
  });
});

describe('any policies, any policy before, any candidate', () => {
  it('no moment of the way is looser than the looser or tighter than the tighter of before and after', () => {
    let careful = 0;
    fc.assert(
      fc.property(way, fc.array(flow, { minLength: 4, maxLength: 12 }), (made, flows) => {
        const input = inputOf(made);
        const { shape } = atOnce(shapeOf(input));
        if (shape.split.length === 2) careful += 1;
        // Flows of chance, decided by the whole evaluator: another look at what was found to be safe.
        const states = decidedOnTheWay(input, shape).map((policies) => compilePolicies(policies, cluster));
        const [first, last] = [
          [...made.others, ...(made.before ? [made.before] : [])],
          [...made.others, made.candidate],
        ].map((all) => compilePolicies(all.map(valid), cluster));
        for (const one of flows) {
          const [was, is] = [first?.decide(one).verdict, last?.decide(one).verdict];
          if (was === is) for (const state of states) expect(state.decide(one).verdict).toBe(was);
        }
      }),
      RUNS,
    );
    expect(careful).toBeGreaterThan(RUNS.numRuns / 4);
  });
});
