import * as z from 'zod';
import { ICMP_TYPES } from './icmp.ts';

/**
 * The JSON of a CiliumNetworkPolicy as the engine decodes it: unknown members are ignored, `null` counts as absent, and nothing is
 * converted, so that a port written as a number does not decode (cilium v1.20.2, pkg/policy/api).
 */
const text = z
  .string()
  .nullish()
  .transform((value) => value ?? '');
const texts = z
  .array(text)
  .nullish()
  .transform((value) => value ?? undefined);
const int32 = z
  .int()
  .min(-(2 ** 31))
  .max(2 ** 31 - 1);
function list<T extends z.ZodType>(item: T) {
  return z
    .array(item)
    .nullish()
    .transform((value) => value ?? undefined);
}

const Expression = z.object({ key: text, operator: text, values: texts });
const LabelSelector = z.object({
  matchLabels: z
    .record(z.string(), text)
    .nullish()
    .transform((value) => value ?? {}),
  matchExpressions: list(Expression).transform((value) => value ?? []),
});
/** A selector written as `null` is one that selects everything: the engine's decoder makes it before it looks. */
const EndpointSelector = z.preprocess((value) => (value === null ? {} : value), LabelSelector);

const PortProtocol = z.object({ port: text, endPort: int32.nullish().transform((value) => value ?? 0), protocol: text });
const Secret = z.object({ namespace: text, name: text }).nullish();
const Http = z.object({
  path: text,
  method: text,
  host: text,
  headers: texts.transform((value) => value ?? []),
  headerMatches: list(z.object({ mismatch: text, name: text, value: text, secret: Secret })).transform((value) => value ?? []),
});
const Dns = z.object({ matchName: text, matchPattern: text });
const PortRule = z.object({
  ports: list(PortProtocol).transform((value) => value ?? []),
  rules: z.object({ http: list(Http), dns: list(Dns) }).nullish(),
  serverNames: texts.transform((value) => value ?? []),
  listener: z.object({ name: text }).nullish(),
  terminatingTLS: z.looseObject({}).nullish(),
  originatingTLS: z.looseObject({}).nullish(),
});
const IcmpField = z
  .object({ family: text, type: z.union([int32, z.string()]) })
  .refine(({ family, type }) => typeof type === 'number' || isIcmpType(type, family), { error: 'ICMP type not found' });

function isIcmpType(type: string, family: string): boolean {
  return (
    type === '0' || (/^[+-]?\d+$/.test(type) && Number(type) !== 0) || Object.hasOwn(ICMP_TYPES[family === 'IPv6' ? 'IPv6' : 'IPv4'], type)
  );
}

const CidrRule = z.object({ cidr: text, except: texts, cidrGroupRef: text, cidrGroupSelector: EndpointSelector.optional() });
const ServiceRef = z.object({
  k8sService: z.object({ serviceName: text, namespace: text }).nullish(),
  k8sServiceSelector: z.object({ selector: LabelSelector.nullish(), namespace: text }).nullish(),
});
const groups = list(z.looseObject({}));

const common = {
  toPorts: list(PortRule),
  icmps: list(z.object({ fields: list(IcmpField).transform((value) => value ?? []) })),
};
const authentication = z.object({ mode: text }).nullish();
const Ingress = z.object({
  authentication,
  fromEndpoints: list(EndpointSelector),
  fromRequires: texts,
  fromCIDR: texts,
  fromCIDRSet: list(CidrRule),
  fromEntities: texts,
  fromGroups: groups,
  fromNodes: list(EndpointSelector),
  ...common,
});
const Egress = z.object({
  authentication,
  toEndpoints: list(EndpointSelector),
  toRequires: texts,
  toCIDR: texts,
  toCIDRSet: list(CidrRule),
  toEntities: texts,
  toServices: list(ServiceRef),
  toFQDNs: list(Dns),
  toGroups: groups,
  toNodes: list(EndpointSelector),
  ...common,
});

const flag = z
  .boolean()
  .nullish()
  .transform((value) => value ?? undefined);
const Rule = z.object({
  endpointSelector: EndpointSelector.optional(),
  nodeSelector: EndpointSelector.optional(),
  ingress: list(Ingress),
  ingressDeny: list(Ingress),
  egress: list(Egress),
  egressDeny: list(Egress),
  enableDefaultDeny: z.object({ ingress: flag, egress: flag }).nullish(),
  description: text,
  labels: list(z.unknown()),
  log: z.object({ value: text }).nullish(),
});

export const Metadata = z
  .object({ name: text, namespace: text })
  .nullish()
  .transform((value) => value ?? { name: '', namespace: '' });

export const CiliumDocument = z.object({
  kind: z.string(),
  metadata: Metadata,
  spec: Rule.nullish(),
  specs: list(Rule),
});

export type RuleDocument = z.infer<typeof Rule>;
export type IngressDocument = z.infer<typeof Ingress>;
export type EgressDocument = z.infer<typeof Egress>;
export type SelectorDocument = z.infer<typeof LabelSelector>;
export type PortRuleDocument = z.infer<typeof PortRule>;
export type CidrRuleDocument = z.infer<typeof CidrRule>;
export type HttpDocument = z.infer<typeof Http>;
export type IcmpDocument = z.infer<typeof IcmpField>;

/** What does not fit, on one line: `spec.ingress.0.toPorts: …`. */
export function decodeError(error: z.ZodError): string {
  return error.issues.map(({ path, message }) => `${path.join('.') || 'document'}: ${message}`).join('; ');
}
