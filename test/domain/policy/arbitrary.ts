import fc from 'fast-check';
import type { JsonObject } from '../../../src/domain/json.ts';
import type { PolicyFlow, PolicyPeer } from '../../../src/domain/policy/flow.ts';
import { parsePolicy } from '../../../src/domain/policy/parse.ts';
import { pod, valid } from './cluster.ts';

// Random policies and flows of one small cluster, small enough that most flows meet some rule.
const some = <T>(...values: readonly T[]) => fc.constantFrom(...values);
const list = <T>(one: fc.Arbitrary<T>, least = 1) => fc.array(one, { minLength: least, maxLength: 2 });
const several = <T>(one: fc.Arbitrary<T>) => fc.array(one, { minLength: 2, maxLength: 4 });
const often = <T>(one: fc.Arbitrary<T>) => fc.option(one, { nil: undefined, freq: 2 });
const seldom = <T>(one: fc.Arbitrary<T>) => fc.oneof({ weight: 5, arbitrary: fc.constant(undefined) }, { weight: 1, arbitrary: one });
const APPS = ['client', 'server', 'dns'];

const selector = fc.oneof(
  { weight: 3, arbitrary: fc.constant({}) },
  fc.record({ matchLabels: fc.record({ app: some(...APPS) }) }),
  fc.record({ matchLabels: fc.record({ 'k8s:io.kubernetes.pod.namespace': some('front', 'back') }) }),
  fc.record({
    matchExpressions: list(
      fc.record({
        key: some('app', 'k8s:version', 'reserved:host', 'io.cilium.k8s.namespace.labels.team'),
        operator: some('Exists', 'DoesNotExist'),
      }),
    ),
  }),
  fc.record({
    matchExpressions: list(fc.record({ key: some('app', 'version'), operator: some('In', 'NotIn'), values: list(some(...APPS, 'v1')) })),
  }),
);
const cidr = some('203.0.113.0/24', '203.0.113.7/32', '0.0.0.0/0', '198.51.100.0/25');
const entities = list(some('all', 'world', 'cluster', 'host', 'remote-node', 'kube-apiserver', 'ingress', 'none'));
const cidrSet = list(some({ cidr: '203.0.113.0/24', except: ['203.0.113.0/28'] }, { cidr: '0.0.0.0/0', except: ['198.51.100.0/24'] }));
const names = list(
  some({ matchName: 'a.example.com' }, { matchPattern: '*.example.com' }, { matchPattern: '**.com' }, { matchPattern: '*' }),
);
function peers(side: 'from' | 'to'): fc.Arbitrary<object> {
  return fc.oneof(
    { weight: 4, arbitrary: fc.constant({}) },
    list(selector, 0).map((value) => ({ [`${side}Endpoints`]: value })),
    entities.map((value) => ({ [`${side}Entities`]: value })),
    list(cidr).map((value) => ({ [`${side}CIDR`]: value })),
    cidrSet.map((value) => ({ [`${side}CIDRSet`]: value })),
  );
}

const port = fc.record({ port: some('0', '53', '80', '81', '8080', 'web'), protocol: some('TCP', 'TCP', 'UDP', 'ANY') });
const ranged = fc.oneof(port, some({ port: '1', endPort: 100, protocol: 'TCP' }, { port: '50', endPort: 60, protocol: 'ANY' }));
const http = list(
  some<object>(
    {},
    { path: '/a' },
    { path: '/.*', method: 'GET' },
    { host: '[[:alpha:]]+(:\\d+)?' },
    { headers: ['X-Token'] },
    { headers: ['X-Token: abc'] },
  ),
);
const onHttp = http.map((rules) => ({ ports: [{ port: '80', protocol: 'TCP' }], rules: { http: rules } }));
const onDns = names.map((rules) => ({ ports: [{ port: '53', protocol: 'ANY' }], rules: { dns: rules } }));
const plainPorts = fc.record({ ports: list(ranged) });
const types = list(fc.record({ fields: list(fc.record({ type: some(0, 8, 11) })) }));

function traffic(l7: fc.Arbitrary<object> | undefined) {
  return fc.oneof(
    { weight: 2, arbitrary: fc.constant({}) },
    { weight: 4, arbitrary: list(l7 ? fc.oneof(plainPorts, l7, l7) : plainPorts).map((toPorts) => ({ toPorts })) },
    { weight: 1, arbitrary: types.map((icmps) => ({ icmps })) },
  );
}
function rule(side: 'from' | 'to', l7?: fc.Arbitrary<object>, more?: fc.Arbitrary<object>): fc.Arbitrary<object> {
  return fc.tuple(more ? fc.oneof(peers(side), more) : peers(side), traffic(l7)).map(([who, what]) => ({ ...who, ...what }));
}

const flag = fc.option(fc.boolean(), { nil: undefined });
const services = some(
  { toServices: [{ k8sService: { serviceName: 'api', namespace: 'back' } }] },
  { toServices: [{ k8sService: { serviceName: 'gone' } }] },
);
/** Sections of a rule. `dns` false leaves DNS rules out: an allow rule beside them can add a drop, since it brings a port under the proxy. */
function sections(dns: boolean): fc.Arbitrary<object> {
  return fc
    .record({
      ingress: often(several(rule('from', onHttp))),
      ingressDeny: seldom(list(rule('from'))),
      egress: often(
        several(
          rule(
            'to',
            dns ? fc.oneof(onHttp, onDns) : onHttp,
            fc.oneof(
              names.map((toFQDNs) => ({ toFQDNs })),
              services,
            ),
          ),
        ),
      ),
      egressDeny: seldom(list(rule('to'))),
      enableDefaultDeny: seldom(fc.record({ ingress: flag, egress: flag })),
    })
    .map((made) => ((made.ingress ?? made.ingressDeny ?? made.egress ?? made.egressDeny) ? made : { ...made, ingress: [{}] }));
}

/** A document of a random kind; the name must be made unique by the caller. */
export function documents(dns = true): fc.Arbitrary<object[]> {
  return fc
    .array(fc.tuple(sections(dns), selector, some('front', 'back', '')), { maxLength: 4 })
    .map((all) => all.map(([made, endpointSelector, namespace], index) => document(`p${index}`, namespace, { endpointSelector, ...made })));
}

export function document(name: string, namespace: string, spec: object): object {
  const kind = namespace === '' ? 'CiliumClusterwideNetworkPolicy' : 'CiliumNetworkPolicy';
  return { apiVersion: 'cilium.io/v2', kind, metadata: namespace === '' ? { name } : { name, namespace }, spec };
}

/** One allow or deny rule for everybody it may select, in every namespace, that leaves default deny as it is. */
export function oneRule(verdict: 'allow' | 'deny'): fc.Arbitrary<object> {
  return fc
    .tuple(
      some('ingress', 'egress'),
      selector,
      rule('from', verdict === 'allow' ? onHttp : undefined),
      rule('to', verdict === 'allow' ? onHttp : undefined),
    )
    .map(([path, endpointSelector, inward, outward]) =>
      document('added', '', {
        endpointSelector,
        enableDefaultDeny: { ingress: false, egress: false },
        [verdict === 'allow' ? path : `${path}Deny`]: [path === 'ingress' ? inward : outward],
      }),
    );
}

const peer: fc.Arbitrary<PolicyPeer> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc
      .tuple(some('front', 'back'), some(...APPS), some<string[]>([], ['k8s:version=v1']))
      .map(([namespace, app, more]) => pod(namespace, app, more, { namedPorts: [{ name: 'web', port: 8080, protocol: 'TCP' }] })),
  },
  {
    weight: 2,
    arbitrary: fc
      .tuple(some('203.0.113.7', '198.51.100.9', '192.0.2.1'), some<string[]>([], ['a.example.com'], ['b.a.org']))
      .map(([ip, fqdns]) => ({
        labels: ['reserved:world'],
        ip,
        fqdns,
      })),
  },
  {
    weight: 1,
    arbitrary: some(
      ['reserved:host'],
      ['reserved:remote-node'],
      ['reserved:kube-apiserver', 'reserved:world'],
      ['reserved:init'],
      ['reserved:health'],
    ).map((labels) => ({ labels, ip: '203.0.113.7' })),
  },
);
const request = fc.record({
  method: some('GET', 'POST'),
  path: some('/a', '/b?x=1'),
  host: some('server:80', '10.0.0.1'),
  headers: some<Record<string, string>>({}, { 'x-token': 'abc' }, { 'X-TOKEN': 'other' }),
});
export const flow: fc.Arbitrary<PolicyFlow> = fc
  .tuple(
    peer,
    peer,
    fc.oneof(
      {
        weight: 6,
        arbitrary: fc
          .tuple(some(80, 80, 80, 80, 81, 55, 8080, 9), fc.option(request, { nil: undefined }))
          .map(([destinationPort, made]) => ({ protocol: 'TCP', destinationPort, http: made }) as const),
      },
      some('a.example.com', 'b.a.org').map((query) => ({ protocol: 'UDP', destinationPort: 53, dns: { query } }) as const),
      some(8, 11).map((icmpType) => ({ protocol: 'ICMP', icmpType }) as const),
      fc.constant({ protocol: 'SCTP', destinationPort: 80 } as const),
    ),
  )
  .map(([source, destination, rest]) => ({ source, destination, ...rest }));

export const policies = (made: readonly object[]) => made.map(valid);
export const cluster = { services: [{ namespace: 'back', name: 'api', selector: { app: 'server' } }] };

/** A way from one policy of back/server to another, beside other policies: each a document as it is stored. */
export interface Way {
  readonly others: readonly JsonObject[];
  readonly before: JsonObject | undefined;
  readonly candidate: JsonObject;
}

const onTheWay = fc
  .tuple(
    sections(true),
    fc.oneof({ weight: 4, arbitrary: fc.constant({ matchLabels: { app: 'server' } }) }, selector),
    seldom(some('required', 'disabled')),
  )
  .map(([made, endpointSelector, mode]) => document('way', 'back', authenticated({ endpointSelector, ...made }, mode)) as JsonObject);

/** The first entry that allows asks for mutual authentication. */
function authenticated(spec: Record<string, unknown>, mode: string | undefined): object {
  const [first, ...rest] = (spec['ingress'] as object[] | undefined) ?? [];
  return mode === undefined || first === undefined ? spec : { ...spec, ingress: [{ ...first, authentication: { mode } }, ...rest] };
}

export const way: fc.Arbitrary<Way> = fc
  .tuple(documents(), fc.option(onTheWay, { nil: undefined, freq: 2 }), onTheWay)
  .map(([others, before, candidate]) => ({ others: others as JsonObject[], before, candidate }))
  .filter(({ others, before, candidate }) => [...others, ...(before ? [before] : []), candidate].every((one) => parsePolicy(one).ok));
