// Random policies as their authors write them: each mistake is rare, so that a policy has none, one or a few.
import fc from 'fast-check';
import { stringify } from 'yaml';

const some = <T>(...values: readonly T[]) => fc.constantFrom(...values);
const list = <T>(one: fc.Arbitrary<T>) => fc.array(one, { minLength: 1, maxLength: 2 });
/** Once in thirty times the second, else the first. */
function mostly<T, U>(right: fc.Arbitrary<T>, wrong: fc.Arbitrary<U>) {
  return fc.oneof({ weight: 30, arbitrary: right }, { weight: 1, arbitrary: wrong });
}
/** There in one of thirty. */
const rare = <T>(wrong: fc.Arbitrary<T>) => mostly(fc.constant(undefined), wrong);
const perhaps = <T>(one: fc.Arbitrary<T>) => fc.option(one, { nil: undefined });

const labels = fc.dictionary(
  mostly(some('app', 'version', 'k8s:io.kubernetes.pod.namespace'), some('k8s:app', 'any:app', 'reserved:host', 'not valid!')),
  some('frontend', 'backend'),
  { maxKeys: 2 },
);
const expression = fc.record({
  key: some('app', 'version'),
  operator: mostly(some('In', 'NotIn'), some('Is')),
  values: fc.constant(['a']),
});
const selector = fc.record({
  matchLabels: labels,
  matchExpressions: perhaps(list(expression)),
});
const peer = fc.record({
  matchLabels: labels,
  namespaceSelector: rare(fc.constant({ matchLabels: { 'kubernetes.io/metadata.name': 'frontend' } })),
});
const fqdn = mostly(
  some<object>({ matchName: 'api.example.com' }, { matchPattern: '*' }),
  some<object>({ matchName: '*.example.com' }, { matchName: 'a.example.com', matchPattern: '*' }),
);
const port = fc.record({
  port: mostly<unknown, unknown>(some('80', '8080', '443'), some<unknown>('53', '0', '0120', '0x50', 'http', '99999', 443, '')),
  protocol: mostly(fc.constant('TCP'), some('UDP', 'ANY', 'HTTP')),
  endPort: rare(some(0, 60, 9000)),
});
const http = fc.record({
  path: mostly(some('/api', '/health'), some('/.*', '/(')),
  action: rare(some('DENY', 'ALLOW')),
  headers: perhaps(list(mostly(some('X-Token', 'X-Token: abc'), some('X-Token:abc', 'Authorization: Bearer .*')))),
  headerMatches: rare(list(fc.record({ name: fc.constant('X-Role'), mismatch: some('', 'LOG', 'NOT') }))),
});
const layer7 = mostly(
  fc.record({ http: list(http) }),
  some<object>({ dns: [{ matchPattern: '*' }] }, { grpc: [{ service: 'a.B', method: 'C' }] }, { kafka: [{ topic: 'a' }] }),
);
const group = fc.record({ ports: list(port), rules: perhaps(layer7) });
const plainGroup = fc.record({ ports: list(port), rules: rare(layer7) });

function peers(side: 'from' | 'to') {
  return fc.oneof(
    mostly<unknown, unknown>(list(peer), some<unknown>([], null)).map((value) => ({ [`${side}Endpoints`]: value })),
    mostly<unknown, unknown>(list(some('world', 'cluster', 'ingress')), some<unknown>([], ['galaxy'])).map((value) => ({
      [`${side}Entities`]: value,
    })),
    list(mostly(some('10.0.0.0/8'), some('203.0.113.7', 'x'))).map((value) => ({ [`${side}CIDR`]: value })),
    ...(side === 'to' ? [mostly<unknown, unknown>(list(fqdn), some<unknown>([])).map((value) => ({ toFQDNs: value }))] : []),
    fc.constant({}),
  );
}
function rule(side: 'from' | 'to', ports: fc.Arbitrary<object>) {
  return fc
    .tuple(
      peers(side),
      fc.record({
        toPorts: perhaps(list(ports)),
        [`${side}Services`]: rare(list(fc.constant({ k8sService: { serviceName: 'db' } }))),
        icmps: rare(fc.constant([{ fields: [{ type: 8 }] }])),
      }),
    )
    .map(([who, what]) => ({ ...who, ...what }));
}
const section = (side: 'from' | 'to', ports: fc.Arbitrary<object>) => perhaps(mostly(list(rule(side, ports)), fc.constant([])));

const spec = fc.record({
  endpointSelector: mostly(selector, fc.constant(undefined)),
  nodeSelector: rare(selector),
  policyEnforcement: rare(fc.boolean()),
  enableDefaultDeny: rare(fc.record({ ingress: fc.boolean(), egress: fc.boolean() }, { requiredKeys: [] })),
  ingress: section('from', group),
  ingressDeny: rare(list(rule('from', plainGroup))),
  egress: section('to', group),
  egressDeny: rare(list(rule('to', plainGroup))),
});

const policy = fc.record({
  apiVersion: fc.constant('cilium.io/v2'),
  kind: some('CiliumNetworkPolicy', 'CiliumClusterwideNetworkPolicy'),
  metadata: fc.record({
    name: mostly(fc.constant('backend'), fc.constant('')),
    namespace: perhaps(fc.constant('backend')),
    annotations: rare(fc.constant({ 'policy.cilium.io/priority': '1' })),
  }),
  spec,
  specs: rare(list(spec)),
});

/** The text of a policy. */
export const randomPolicyText = policy.map((value) => stringify(value, { aliasDuplicateObjects: false }));
