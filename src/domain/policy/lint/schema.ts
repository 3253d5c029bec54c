// What CiliumNetworkPolicy and CiliumClusterwideNetworkPolicy may hold (CRD of v1.20.2; both kinds have the same): keys, types, enums and bounds.
// A key that is not here, the server prunes without a word or, asked strictly, refuses. A test compares this with the CRD.

/** `true` for a value that is not looked into. */
export type Shape = true | Leaf | Keys | Each;

export type Leaf =
  | { readonly type: 'text'; readonly enum?: readonly string[]; readonly pattern?: RegExp; readonly most?: number; readonly least?: number }
  | { readonly type: 'whole'; readonly least?: number; readonly most?: number }
  | { readonly type: 'flag' }
  | { readonly type: 'whole or text' };

export interface Keys {
  readonly keys: Readonly<Record<string, Shape>>;
  readonly required?: readonly string[];
  /** Exactly one of them. */
  readonly one?: readonly string[];
  /** At least one of them. */
  readonly some?: readonly string[];
  /** What values of keys that are not named must be. */
  readonly others?: Shape;
}

interface Each {
  readonly each: Shape;
  readonly most?: number;
}

const keys = (shapes: Readonly<Record<string, Shape>>, more: Omit<Keys, 'keys'> = {}): Keys => ({ keys: shapes, ...more });
const each = (shape: Shape, most?: number): Each => (most === undefined ? { each: shape } : { each: shape, most });
const text: Leaf = { type: 'text' };
const flag: Leaf = { type: 'flag' };
const oneOf = (names: string): Leaf => ({ type: 'text', enum: names.split(' ') });
const some: Leaf = { type: 'text', least: 1 };
/** Keys whose values are texts. */
const plain = (names: string): Readonly<Record<string, Shape>> => Object.fromEntries(names.split(' ').map((name) => [name, text]));

const labelValue: Leaf = { type: 'text', most: 63, pattern: /^(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?$/ };
const selector = keys({
  matchLabels: keys({}, { others: labelValue }),
  matchExpressions: each(
    keys({ key: text, operator: oneOf('In NotIn Exists DoesNotExist'), values: each(text) }, { required: ['key', 'operator'] }),
  ),
});
const secret = keys(plain('name namespace'), { required: ['name'] });
const fqdn = keys(
  {
    matchName: { type: 'text', most: 255, pattern: /^[-a-zA-Z0-9_]+(\.[-a-zA-Z0-9_]+)*\.?$/ },
    matchPattern: { type: 'text', most: 255, pattern: /^[-a-zA-Z0-9_*]+(\.[-a-zA-Z0-9_*]+)*\.?$/ },
  },
  { one: ['matchName', 'matchPattern'] },
);
const tls = keys({ secret, ...plain('certificate privateKey trustedCA') }, { required: ['secret'] });
const cidrSet = keys(
  { cidr: text, cidrGroupRef: { type: 'text', most: 253 }, cidrGroupSelector: selector, except: each(text) },
  { one: ['cidr', 'cidrGroupRef', 'cidrGroupSelector'] },
);
const aws = keys({
  labels: keys({}, { others: text }),
  region: text,
  securityGroupsIds: each(text),
  securityGroupsNames: each(text),
});
const group = keys({ aws });
const service = keys({
  k8sService: keys(plain('namespace serviceName')),
  k8sServiceSelector: keys({ namespace: text, selector }, { required: ['selector'] }),
});
const icmp = keys({ fields: each(keys({ family: oneOf('IPv4 IPv6'), type: { type: 'whole or text' } }, { required: ['type'] }), 40) });
const port = keys({
  port: text,
  endPort: { type: 'whole', least: 0, most: 65_535 },
  protocol: oneOf('TCP UDP SCTP VRRP IGMP GRE IPIP IPV6 ESP AH ANY'),
});
const ports = each(port, 40);
const http = keys({
  ...plain('method path host'),
  headers: each(text),
  headerMatches: each(keys({ mismatch: oneOf('LOG ADD DELETE REPLACE'), name: some, value: text, secret }, { required: ['name'] })),
});
const envoyConfig = keys({ kind: oneOf('CiliumEnvoyConfig CiliumClusterwideEnvoyConfig'), name: some }, { required: ['name'] });
const allowedPorts = keys({
  ports,
  rules: keys({ http: each(http), dns: each(fqdn) }, { one: ['http', 'dns'] }),
  listener: keys({ envoyConfig, name: some, priority: { type: 'whole', least: 1, most: 100 } }, { required: ['envoyConfig', 'name'] }),
  originatingTLS: tls,
  terminatingTLS: tls,
  serverNames: each({ type: 'text', most: 255, pattern: /^[-a-zA-Z0-9_*]+(\.[-a-zA-Z0-9_*]+)*\.?$/ }),
});
const deniedPorts = keys({ ports: each(port) });

const entities = oneOf('all world cluster cluster-mesh host init ingress unmanaged remote-node health none kube-apiserver');
const from = {
  fromEndpoints: each(selector),
  fromCIDR: each(text),
  fromCIDRSet: each(cidrSet),
  fromEntities: each(entities),
  fromNodes: each(selector),
  fromGroups: each(group),
  fromRequires: each(text),
  icmps: each(icmp),
} as const;
const to = {
  toEndpoints: each(selector),
  toCIDR: each(text),
  toCIDRSet: each(cidrSet),
  toEntities: each(entities),
  toNodes: each(selector),
  toGroups: each(group),
  toServices: each(service),
  toRequires: each(text),
  icmps: each(icmp),
} as const;
const authentication = keys({ mode: oneOf('disabled required test-always-fail') }, { required: ['mode'] });

const spec = keys(
  {
    description: text,
    endpointSelector: selector,
    nodeSelector: selector,
    enableDefaultDeny: keys({ ingress: flag, egress: flag }),
    labels: each(keys(plain('key source value'), { required: ['key'] })),
    log: keys({ value: { type: 'text', most: 32 } }),
    ingress: each(keys({ ...from, toPorts: each(allowedPorts), authentication })),
    ingressDeny: each(keys({ ...from, toPorts: each(deniedPorts) })),
    egress: each(keys({ ...to, toFQDNs: each(fqdn), toPorts: each(allowedPorts), authentication })),
    egressDeny: each(keys({ ...to, toPorts: each(deniedPorts) })),
  },
  { one: ['endpointSelector', 'nodeSelector'], some: ['ingress', 'ingressDeny', 'egress', 'egressDeny'] },
);

/** Keys that are looked for only. */
const anyOf = (names: string): Readonly<Record<string, Shape>> => Object.fromEntries(names.split(' ').map((name) => [name, true]));

const metadata = keys({
  ...plain('name namespace generateName'),
  labels: keys({}, { others: text }),
  annotations: keys({}, { others: text }),
  ...anyOf(
    'finalizers ownerReferences uid resourceVersion generation creationTimestamp deletionTimestamp deletionGracePeriodSeconds managedFields selfLink',
  ),
});

/** The whole object. What a controller writes below `status` is not looked into. */
export const POLICY_SHAPE: Shape = keys({ ...anyOf('apiVersion kind status'), metadata, spec, specs: each(spec) });

const peer = keys({
  podSelector: selector,
  namespaceSelector: selector,
  ipBlock: keys({ cidr: text, except: each(text) }, { required: ['cidr'] }),
});
const kubernetesPorts = each(
  keys({ port: { type: 'whole or text' }, endPort: { type: 'whole', least: 1, most: 65_535 }, protocol: oneOf('TCP UDP SCTP') }),
);

/** A NetworkPolicy of networking.k8s.io/v1. */
export const KUBERNETES_SHAPE: Shape = keys({
  ...anyOf('apiVersion kind status'),
  metadata,
  spec: keys({
    podSelector: selector,
    policyTypes: each(oneOf('Ingress Egress')),
    ingress: each(keys({ from: each(peer), ports: kubernetesPorts })),
    egress: each(keys({ to: each(peer), ports: kubernetesPorts })),
  }),
});
