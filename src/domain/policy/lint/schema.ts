// The keys that CiliumNetworkPolicy and CiliumClusterwideNetworkPolicy have (CRD of v1.20.2; both kinds have the same).
// What is not here, the server prunes without a word or, asked strictly, refuses.

/** `true` for a value whose keys are free or that has none. */
export type Shape = true | { readonly keys: Readonly<Record<string, Shape>> } | { readonly each: Shape };

const keys = (shapes: Readonly<Record<string, Shape>>): Shape => ({ keys: shapes });
const each = (shape: Shape): Shape => ({ each: shape });
/** Keys whose values are not looked into. */
const plain = (names: string): Readonly<Record<string, Shape>> => Object.fromEntries(names.split(' ').map((name) => [name, true as const]));

const selector = keys({ matchLabels: true, matchExpressions: each(keys(plain('key operator values'))) });
const secret = keys(plain('name namespace'));
const fqdn = keys(plain('matchName matchPattern'));
const tls = keys({ secret, ...plain('certificate privateKey trustedCA') });
const cidrSet = keys({ ...plain('cidr cidrGroupRef except'), cidrGroupSelector: selector });
const group = keys({ aws: keys(plain('labels region securityGroupsIds securityGroupsNames')) });
const service = keys({
  k8sService: keys(plain('namespace serviceName')),
  k8sServiceSelector: keys({ namespace: true, selector }),
});
const icmp = keys({ fields: each(keys(plain('family type'))) });
const ports = each(keys(plain('port endPort protocol')));
const http = keys({
  ...plain('method path host headers'),
  headerMatches: each(keys({ ...plain('mismatch name value'), secret })),
});
const allowedPorts = keys({
  ports,
  rules: keys({ http: each(http), dns: each(fqdn) }),
  listener: keys({ envoyConfig: keys(plain('kind name')), ...plain('name priority') }),
  originatingTLS: tls,
  terminatingTLS: tls,
  serverNames: true,
});
const deniedPorts = keys({ ports });

const from = {
  fromEndpoints: each(selector),
  fromCIDR: true,
  fromCIDRSet: each(cidrSet),
  fromEntities: true,
  fromNodes: each(selector),
  fromGroups: each(group),
  fromRequires: true,
  icmps: each(icmp),
} as const;
const to = {
  toEndpoints: each(selector),
  toCIDR: true,
  toCIDRSet: each(cidrSet),
  toEntities: true,
  toNodes: each(selector),
  toGroups: each(group),
  toServices: each(service),
  toRequires: true,
  icmps: each(icmp),
} as const;
const authentication = keys(plain('mode'));

const spec = keys({
  ...plain('description'),
  endpointSelector: selector,
  nodeSelector: selector,
  enableDefaultDeny: keys(plain('ingress egress')),
  labels: each(keys(plain('key source value'))),
  log: keys(plain('value')),
  ingress: each(keys({ ...from, toPorts: each(allowedPorts), authentication })),
  ingressDeny: each(keys({ ...from, toPorts: each(deniedPorts) })),
  egress: each(keys({ ...to, toFQDNs: each(fqdn), toPorts: each(allowedPorts), authentication })),
  egressDeny: each(keys({ ...to, toPorts: each(deniedPorts) })),
});

const metadata = keys(
  plain(
    'name namespace labels annotations generateName finalizers ownerReferences uid resourceVersion generation creationTimestamp deletionTimestamp deletionGracePeriodSeconds managedFields selfLink',
  ),
);

/** The whole object. What a controller writes below `status` is not looked into. */
export const POLICY_SHAPE: Shape = keys({ ...plain('apiVersion kind status'), metadata, spec, specs: each(spec) });
