import { KUBERNETES_RULES } from './kubernetes.ts';
import type { LintRule } from './rule.ts';
import { deadAnnotations } from './rules/annotations.ts';
import { copiedRule } from './rules/copied.ts';
import { dnsEmpty, dnsLabel, dnsPeer, fqdnCluster } from './rules/dns.ts';
import { absentPeers, defaultDenyWithoutRules, denyOnly, emptyPeers, emptySection, emptySections } from './rules/empty.ts';
import { defaultAllowL7, dnsWidened, headerLiteral, headerMismatch, headerNoSpace, httpWidened } from './rules/layer7.ts';
import { egressWithoutDns, fqdnNotAsked, fqdnVoid, fqdnWithoutDns } from './rules/names.ts';
import { bareIp, denyServices, gatewayKeptOut, servicesWithPorts } from './rules/peers.ts';
import { egressNamedPort, endPortBelow, endPortNamed, needsSetting, portBase, portRange, portZero } from './rules/ports.ts';
import { denyL7, fromServices, grpcRules, httpAction, kafkaRules, policyEnforcement, requires } from './rules/pruned.ts';
import { httpGlob, httpHost, httpMethod, httpOnTls, httpPath } from './rules/requests.ts';
import { anyCollision, mixedPrefix, namespaceLabel, namespaceSelector, selectorNamespace } from './rules/selectors.ts';
import { schemaTypes } from './rules/types.ts';
import { unknownField } from './rules/unknown-field.ts';
import { clusterwideDefaultDeny, clusterwideNamespace, denyCoversAllow, splitRule } from './rules/whole.ts';

/** Rules about a policy. Each is one entry; to remove one, remove its entry. `unknown-field` and `schema` speak last. */
export const POLICY_RULES: readonly LintRule[] = [
  httpAction,
  policyEnforcement,
  grpcRules,
  kafkaRules,
  namespaceSelector,
  emptySections,
  fromServices,
  fqdnWithoutDns,
  fqdnVoid,
  ...deadAnnotations,
  headerLiteral,
  headerNoSpace,
  denyL7,
  requires,
  anyCollision,
  selectorNamespace,
  absentPeers,
  defaultDenyWithoutRules,
  denyServices,
  portBase,
  bareIp,
  emptyPeers,
  emptySection,
  denyOnly,
  servicesWithPorts,
  portZero,
  endPortBelow,
  endPortNamed,
  egressNamedPort,
  mixedPrefix,
  defaultAllowL7,
  httpWidened,
  dnsWidened,
  headerMismatch,
  fqdnNotAsked,
  egressWithoutDns,
  gatewayKeptOut,
  httpGlob,
  httpHost,
  httpMethod,
  httpPath,
  httpOnTls,
  dnsEmpty,
  dnsPeer,
  dnsLabel,
  fqdnCluster,
  namespaceLabel,
  portRange,
  needsSetting,
  clusterwideNamespace,
  clusterwideDefaultDeny,
  denyCoversAllow,
  splitRule,
  copiedRule,
  unknownField,
  schemaTypes,
];

/** What is said about a text or an object that no rule gets to look at. */
const OTHER_RULES = [
  { id: 'too-large', severity: 'error', title: 'The text is too large to be read' },
  { id: 'not-yaml', severity: 'error', title: 'The text is not YAML' },
  { id: 'unsafe-yaml', severity: 'error', title: 'Tags, and aliases without bound, are not read' },
  { id: 'template', severity: 'note', title: 'A template is not checked before it is rendered' },
  { id: 'kustomize-patch', severity: 'note', title: 'A patch for kustomize is not checked' },
  { id: 'waiver', severity: 'warning', title: 'A waiver needs a reason and something to waive' },
  { id: 'unknown-kind', severity: 'error', title: 'There is no such kind of Cilium policy' },
  { id: 'invalid', severity: 'error', title: "Cilium's own validity rules refuse the policy" },
] as const;

export const RULE_TITLES: readonly Pick<LintRule, 'id' | 'severity' | 'title'>[] = [...OTHER_RULES, ...POLICY_RULES, ...KUBERNETES_RULES];
