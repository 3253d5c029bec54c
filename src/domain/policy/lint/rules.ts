import type { LintRule } from './rule.ts';
import { deadAnnotations } from './rules/annotations.ts';
import { absentPeers, defaultDenyWithoutRules, denyOnly, emptyPeers, emptySection, emptySections } from './rules/empty.ts';
import { defaultAllowL7, dnsWidened, headerLiteral, headerMismatch, headerNoSpace, httpWidened } from './rules/layer7.ts';
import { egressWithoutDns, fqdnNotAsked, fqdnVoid, fqdnWithoutDns } from './rules/names.ts';
import { bareIp, denyServices, gatewayKeptOut, servicesWithPorts } from './rules/peers.ts';
import { egressNamedPort, endPortBelow, endPortNamed, portBase, portZero } from './rules/ports.ts';
import { denyL7, fromServices, grpcRules, httpAction, kafkaRules, policyEnforcement, requires } from './rules/pruned.ts';
import { anyCollision, mixedPrefix, namespaceSelector, selectorNamespace } from './rules/selectors.ts';
import { unknownField } from './rules/unknown-field.ts';

/** Rules about a policy. Each is one entry; to remove one, remove its entry. `unknown-field` speaks last. */
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
  unknownField,
];

/** What is said about a text or an object that no rule gets to look at. */
export const OTHER_RULES = [
  { id: 'too-large', severity: 'error', title: 'The text is too large to be read' },
  { id: 'not-yaml', severity: 'error', title: 'The text is not YAML' },
  { id: 'unsafe-yaml', severity: 'error', title: 'Aliases and tags are not read' },
  { id: 'unknown-kind', severity: 'error', title: 'There is no such kind of Cilium policy' },
  { id: 'invalid', severity: 'error', title: "Cilium's own validity rules refuse the policy" },
] as const;

export const RULE_TITLES: readonly Pick<LintRule, 'id' | 'severity' | 'title'>[] = [...OTHER_RULES, ...POLICY_RULES];
