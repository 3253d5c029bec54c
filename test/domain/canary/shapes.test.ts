import { describe, expect, it } from 'vitest';
import { CanaryDetails } from '../../../src/domain/canary/details.ts';
import { type CanaryPlan, planCanary } from '../../../src/domain/canary/plan.ts';
import { parseRoute } from '../../../src/domain/canary/route.ts';

/** `web`, or `web=90`, or `other/web=90`, or `pool(InferencePool)=0`: one backend as people write it. */
type Backend = string;

interface Shape {
  readonly rules: readonly (readonly Backend[])[];
  readonly parents?: readonly object[];
  readonly metadata?: object;
  readonly rule?: object;
  readonly kind?: string;
  /** Namespace of the route, where it is not the Service's. */
  readonly namespace?: string;
}

interface Asked {
  /** `web 10%`, or `shop/web 10%`; a channel's default namespace is `shop`. */
  readonly command: string;
  readonly includeOthers?: true;
}

/** `v2 10%`: who receives at the end and how much; `? v1, v2`: the candidates that are offered; else the code of the refusal. */
type Answer = string;

function backendOf(text: Backend) {
  const [, namespace, name = '', kind, weight] = /^(?:([\w-]+)\/)?([\w-]+)(?:\((\w+)\))?(?:=(\d+))?$/.exec(text) ?? [];
  return {
    name,
    port: 80,
    ...(namespace !== undefined && { namespace }),
    ...(kind !== undefined && { kind, group: 'inference.networking.k8s.io' }),
    ...(weight !== undefined && { weight: Number(weight) }),
  };
}

const GATEWAY = { group: 'gateway.networking.k8s.io', kind: 'Gateway', name: 'public', namespace: 'infra' };
const ofMesh = (name: string, namespace?: string) => ({ group: '', kind: 'Service', name, port: 80, ...(namespace && { namespace }) });

function routeOf({ rules, parents = [GATEWAY], metadata = {}, rule = {}, kind = 'HTTPRoute', namespace = 'shop' }: Shape, at: number) {
  const route = parseRoute({
    apiVersion: 'gateway.networking.k8s.io/v1',
    kind,
    metadata: { name: `r${at}`, namespace, uid: `u${at}`, generation: 1, ...metadata },
    spec: {
      hostnames: ['shop.example.com'],
      parentRefs: parents,
      rules: rules.map((each) => ({ ...rule, backendRefs: each.map(backendOf) })),
    },
  });
  if (!route) throw new Error('no route');
  return route;
}

function ask(shapes: readonly Shape[], { command, includeOthers }: Asked): CanaryPlan {
  const [, namespace, name = '', percent] = /^(?:([\w-]+)\/)?([\w-]+) ([\d.]+)%$/.exec(command) ?? [];
  return planCanary({
    routes: shapes.map(routeOf),
    service: { cluster: 'demo', namespace: namespace ?? 'shop', name },
    change: { kind: 'shift', percent: Number(percent), ...(namespace && { explicit: true }), ...(includeOthers && { includeOthers }) },
    ladder: [1, 5, 10, 25, 50, 100],
    firstStage: 1,
  });
}

function answerOf(plan: CanaryPlan): Answer {
  if (plan.kind === 'ambiguous') return `? ${plan.candidates.toSorted().join(', ')}`;
  if (plan.kind === 'impossible') return plan.code;
  return `${CanaryDetails.parse(plan.details).receiver} ${plan.stages.at(-1)?.label}`;
}

const CUT = { matches: [{ path: { type: 'PathPrefix', value: '/cart' } }] };
const MIRROR = { filters: [{ type: 'RequestMirror', requestMirror: { backendRef: { name: 'v2', port: 80 } } }] };
const REDIRECT = { filters: [{ type: 'RequestRedirect', requestRedirect: { scheme: 'https' } }] };
function owner(apiVersion: string, kind: string, controller?: boolean) {
  return {
    ownerReferences: [{ apiVersion, kind, name: 'iris', uid: 'x', ...(controller !== undefined && { controller }) }],
  };
}

const SHAPES: readonly (readonly [what: string, shapes: Shape | readonly Shape[], asked: string | Asked, answer: Answer])[] = [
  // Two backends.
  ['no weights, the base is named', { rules: [['web-stable', 'web-canary']] }, 'web-stable 10%', '? web-canary, web-stable'],
  ['no weights, the canary is named', { rules: [['web-stable', 'web-canary']] }, 'web-canary 10%', 'web-canary 10%'],
  ['no weights, named with its namespace', { rules: [['web-stable', 'web-canary']] }, 'shop/web-canary 10%', 'web-canary 10%'],
  ['no weights, the other one with its namespace', { rules: [['web-stable', 'web-canary']] }, 'shop/web-stable 10%', 'web-stable 10%'],
  ['no weights, an even share is there already', { rules: [['blue', 'green']] }, 'shop/green 50%', 'AlreadyThere'],
  ['50:50', { rules: [['blue=50', 'green=50']] }, 'blue 60%', '? blue, green'],
  ['50:50, with its namespace', { rules: [['blue=50', 'green=50']] }, 'shop/green 60%', 'green 60%'],
  [
    '50:50 with a canary by name, its service with its namespace',
    { rules: [['web=50', 'web-canary=50']] },
    'shop/web 60%',
    'web-canary 60%',
  ],
  ['100/0 without a canary by name', { rules: [['v1=100', 'v2=0']] }, 'v1 10%', 'v2 10%'],
  ['100/0, the idle one named', { rules: [['v1=100', 'v2=0']] }, 'v2 10%', 'v2 10%'],
  ['100/0, with its namespace', { rules: [['v1=100', 'v2=0']] }, 'shop/v1 10%', 'v2 10%'],
  ['1/0 in small numbers', { rules: [['v1=1', 'v2=0']] }, 'v1 5%', 'v2 5%'],
  ['90/10 without a canary by name', { rules: [['v1=90', 'v2=10']] }, 'v1 20%', '? v2'],
  ['90/10, the smaller one named', { rules: [['v1=90', 'v2=10']] }, 'v2 20%', 'v2 20%'],
  ['0/100 after a promotion, the canary to 0', { rules: [['web-stable=0', 'web-canary=100']] }, 'web-canary 0%', '? web-canary'],
  ['0/100 after a promotion, with its namespace', { rules: [['web-stable=0', 'web-canary=100']] }, 'shop/web-canary 0%', 'web-canary 0%'],
  ['both at 0', { rules: [['v1=0', 'v2=0']] }, 'v1 10%', '? v1, v2'],
  ['the usual pair', { rules: [['web=100', 'web-canary=0']] }, 'web 10%', 'web-canary 10%'],
  ['the usual pair, at its share', { rules: [['web=90', 'web-canary=10']] }, 'web 10%', 'AlreadyThere'],
  // One, three and more.
  ['one backend', { rules: [['web']] }, 'web 10%', 'NoCanary'],
  ['one backend beside an empty rule', { rules: [['web'], []] }, 'web 10%', 'NoCanary'],
  ['three backends, two of them could be it', { rules: [['a=60', 'b=20', 'c=20']] }, 'a 30%', '? b, c'],
  ['three backends, two of them at 0', { rules: [['a=100', 'b=0', 'c=0']] }, 'a 10%', '? b, c'],
  ['three backends with a canary by name', { rules: [['web=90', 'old=10', 'web-canary=0']] }, 'web 10%', 'web-canary 10%'],
  ['three backends without weights', { rules: [['a', 'b', 'c']] }, 'shop/c 10%', 'c 10%'],
  ['the same Service twice, by two ports', { rules: [['web=50', 'web=50']] }, 'web 10%', 'NoCanary'],
  // Backends that are no Services, or Services of elsewhere.
  ['an inference pool at 0 beside it', { rules: [['web=100', 'pool(InferencePool)=0']] }, 'web 10%', 'NoCanary'],
  ['an inference pool and a Service at 0', { rules: [['web=90', 'pool(InferencePool)=10', 'v2=0']] }, 'web 10%', 'v2 10%'],
  ['a Service of another namespace beside it', { rules: [['web=100', 'next/web-v2=0']] }, 'web 10%', 'NoCanary'],
  ['a route of another namespace only', { namespace: 'edge', rules: [['shop/web=100', 'shop/web-canary=0']] }, 'web 10%', 'NoRoute'],
  [
    'a route of another namespace only, included',
    { namespace: 'edge', rules: [['shop/web=100', 'shop/web-canary=0']] },
    { command: 'web 10%', includeOthers: true },
    'web-canary 10%',
  ],
  [
    'routes of both namespaces',
    [{ rules: [['web=100', 'web-canary=0']] }, { namespace: 'edge', rules: [['shop/web=100', 'shop/web-canary=0']] }],
    'web 10%',
    'RoutesElsewhere',
  ],
  // Several rules, routes and parents.
  ['two rules, only one of which splits', { rules: [['assets'], ['web=100', 'web-canary=0']] }, 'web 10%', 'web-canary 10%'],
  [
    'two rules that split alike',
    {
      rules: [
        ['v1=100', 'v2=0'],
        ['v1=1', 'v2=0'],
      ],
    },
    'v1 10%',
    'v2 10%',
  ],
  [
    'two rules with other neighbours at 0',
    {
      rules: [
        ['v1=100', 'v2=0'],
        ['v1=100', 'v3=0'],
      ],
    },
    'v1 10%',
    '? v2, v3',
  ],
  [
    'two rules that are mirrored',
    {
      rules: [
        ['v1=100', 'v2=0'],
        ['v1=0', 'v2=100'],
      ],
    },
    'v1 10%',
    '? v1, v2',
  ],
  ['a rule with filters and a match', { rule: { ...CUT, ...MIRROR }, rules: [['v1=100', 'v2=0']] }, 'v1 10%', 'v2 10%'],
  ['a redirect route for http beside the real one', [{ rule: REDIRECT, rules: [[]] }, { rules: [['v1=100', 'v2=0']] }], 'v1 10%', 'v2 10%'],
  [
    'two routes, of which one has the annotation',
    [{ rules: [['v1', 'v2']], metadata: { annotations: { 'meshops.dev/canary': 'v2' } } }],
    'v1 10%',
    'v2 10%',
  ],
  [
    'an annotation that names nobody',
    { rules: [['v1', 'v2']], metadata: { annotations: { 'meshops.dev/canary': 'v3' } } },
    'v1 10%',
    'CanaryNotInRoute',
  ],
  ['one listener of the gateway', { parents: [{ ...GATEWAY, sectionName: 'https' }], rules: [['v1=100', 'v2=0']] }, 'v1 10%', 'v2 10%'],
  ['two gateways', { parents: [GATEWAY, { name: 'private' }], rules: [['v1=100', 'v2=0']] }, 'v1 10%', 'v2 10%'],
  ['a mesh route of a base that is no backend', { parents: [ofMesh('web')], rules: [['web-v1=100', 'web-v2=0']] }, 'web 10%', 'NoCanary'],
  ['the same, the idle one named', { parents: [ofMesh('web')], rules: [['web-v1=100', 'web-v2=0']] }, 'web-v2 10%', 'web-v2 10%'],
  [
    'a mesh route with a canary by name',
    { parents: [ofMesh('web', 'shop')], rules: [['web-v1=100', 'web-canary=0']] },
    'web 10%',
    'web-canary 10%',
  ],
  [
    'mesh and gateway in one route',
    { parents: [GATEWAY, ofMesh('web')], rules: [['web=100', 'web-canary=0']] },
    'web 10%',
    'web-canary 10%',
  ],
  ['a GRPCRoute', { kind: 'GRPCRoute', rules: [['v1=100', 'v2=0']] }, 'v1 10%', 'v2 10%'],
  // Who else writes it.
  [
    'an inference service that controls it',
    { rules: [['v1=100', 'v2=0']], metadata: owner('serving.kserve.io/v1beta1', 'InferenceService', true) },
    'v1 10%',
    'OtherManager',
  ],
  ['an owner that does not control it', { rules: [['v1=100', 'v2=0']], metadata: owner('example.com/v1', 'App') }, 'v1 10%', 'v2 10%'],
  [
    'a controlling owner that is allowed',
    {
      rules: [['v1=100', 'v2=0']],
      metadata: { ...owner('example.com/v1', 'App', true), annotations: { 'meshops.dev/allow-owner': 'App/iris' } },
    },
    'v1 10%',
    'v2 10%',
  ],
  [
    'Flagger, which no annotation allows',
    {
      rules: [['v1=100', 'v2=0']],
      metadata: { ...owner('flagger.app/v1beta1', 'Canary', true), annotations: { 'meshops.dev/allow-owner': 'Canary/iris' } },
    },
    'v1 10%',
    'OtherManager',
  ],
];

describe('shapes of routes from the field', () => {
  it.each(SHAPES)('%s', (_, shapes, asked, answer) => {
    const all = Array.isArray(shapes) ? shapes : [shapes];
    expect(answerOf(ask(all, typeof asked === 'string' ? { command: asked } : asked))).toBe(answer);
  });

  it.each(SHAPES)('%s: what is offered leads to a plan in which that one receives', (_, shapes, asked) => {
    const all = Array.isArray(shapes) ? shapes : [shapes];
    const { command, ...flags } = typeof asked === 'string' ? { command: asked } : asked;
    const plan = ask(all, { command, ...flags });
    const offered = plan.kind === 'ambiguous' ? plan.candidates : [];
    const percent = command.split(' ')[1];
    for (const name of offered) expect(answerOf(ask(all, { command: `shop/${name} ${percent}`, ...flags }))).toBe(`${name} ${percent}`);
  });

  it('says which flag moves routes of other namespaces, only where it would', () => {
    const shape = { namespace: 'edge', rules: [['shop/web=100', 'shop/web-canary=0']] };
    expect(ask([shape], { command: 'web 10%' })).toMatchObject({ words: expect.stringContaining('--include-other-namespaces') });
    const alone = { namespace: 'edge', rules: [['shop/web=100']] };
    expect(ask([alone], { command: 'web 10%' })).toMatchObject({ words: expect.not.stringContaining('--include') });
  });

  it('names the annotation where several could be meant, and the one that lets a controlling owner stay', () => {
    expect(ask([{ rules: [['blue', 'green']] }], { command: 'blue 10%' })).toMatchObject({
      words: expect.stringContaining('`meshops.dev/canary`'),
    });
    const metadata = owner('serving.kserve.io/v1beta1', 'InferenceService', true);
    expect(ask([{ rules: [['v1=100', 'v2=0']], metadata }], { command: 'v1 10%' })).toMatchObject({
      words: expect.stringMatching(/belongs to InferenceService iris .*meshops\.dev\/allow-owner: InferenceService\/iris/),
    });
  });

  it('does not compare with a Service of the same name in another namespace', () => {
    const plan = ask([{ rules: [['next/web=100', 'web-v2=0', 'web=0']] }], { command: 'shop/web-v2 10%' });
    expect(plan.kind === 'planned' && CanaryDetails.parse(plan.details).others).toEqual(['web']);
    const alone = ask([{ rules: [['next/web=100', 'web-v2=0']] }], { command: 'shop/web-v2 10%' });
    expect(alone.kind === 'planned' && CanaryDetails.parse(alone.details).others).toEqual([]);
  });
});
