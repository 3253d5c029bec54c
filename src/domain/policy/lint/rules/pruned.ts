// Fields that do not exist, that people believe in, and whose loss turns the policy into something else (facts: the CRD of v1.20.2).

import { limitsPorts } from '../ports.ts';
import { add, type Draft, fix, type LintRule, perGroup, perHttp, perRule, perSpec, remove } from '../rule.ts';
import { asList, asRecord, child, items, type Located, type Raw, records, type SpecView } from '../view.ts';

const ALLOW_LIST = 'L7 rules only allow: what is not listed is refused. Deny exists at L3/L4 only (ingressDeny, egressDeny).';

export const httpAction: LintRule = {
  id: 'http-action',
  severity: 'error',
  title: 'HTTP rules have no action: a "deny" becomes an allow',
  check: perHttp((http, siblings) => {
    if (!('action' in http.value)) return [];
    const path = [...http.path, 'action'];
    if (!denies(http))
      return [
        {
          path,
          happens: 'There is no `action`: every HTTP rule allows.',
          instead: 'Leave it out.',
          fix: fix('Leave it out', remove(path)),
        },
      ];
    const request = [http.value['method'], http.value['path']].filter((word) => typeof word === 'string').join(' ') || 'every request';
    return [
      {
        path,
        happens: `There is no \`action\`: the server drops it, and this entry ALLOWS ${request}.`,
        instead: `${ALLOW_LIST} Remove the entry and let no other entry match it.`,
        // With nothing left the list would be empty, which means no L7 rule at all; with a catch-all left nothing is refused either.
        ...(siblings.some((one) => !denies(one)) && !siblings.some(matchesAll)
          ? { fix: fix('Remove the entry: what is not listed is refused', remove(http.path)) }
          : {}),
      },
    ];
  }),
};

function denies(http: Located<Raw>): boolean {
  const action = http.value['action'];
  return action !== undefined && !(typeof action === 'string' && /^(allow|permit|accept|pass)$/i.test(action));
}

function matchesAll(http: Located<Raw>): boolean {
  const path = http.value['path'];
  return !denies(http) && (path === undefined || path === '' || (typeof path === 'string' && /^\^?\/?\.[*+]\$?$/.test(path)));
}

export const policyEnforcement: LintRule = {
  id: 'policy-enforcement',
  severity: 'error',
  title: 'There is no observe mode in a policy: it is enforced at once',
  check: perSpec((spec) =>
    ['policyEnforcement', 'policyEnforcementMode', 'policyAuditMode', 'auditMode']
      .filter((key) => key in spec.value)
      .map((key) => {
        const path = [...spec.path, key];
        const observe = spec.value[key] === false || key.toLowerCase().includes('audit');
        return {
          path,
          happens: `There is no \`${key}\`: the server drops it, and the policy is enforced at once. Changing it later does nothing.`,
          instead:
            'To observe, let the policy deny nothing: `enableDefaultDeny: {ingress: false, egress: false}`, without deny and L7 rules.',
          ...(observe && isSoft(spec)
            ? { fix: fix('Deny nothing yet', remove(path), add([...spec.path, 'enableDefaultDeny'], { ingress: false, egress: false })) }
            : {}),
          ...(observe ? {} : { fix: fix('Leave it out', remove(path)) }),
        };
      }),
  ),
};

/** Deny entries and L7 rules work even where nothing is denied by default. */
function isSoft(spec: SpecView): boolean {
  const layer7 = spec.rules.some((rule) => records(rule, 'toPorts').some(({ value }) => value['rules'] !== undefined));
  return !layer7 && !spec.rules.some(({ deny }) => deny) && spec.value['enableDefaultDeny'] === undefined;
}

export const grpcRules: LintRule = {
  id: 'grpc-rules',
  severity: 'error',
  title: 'There are no gRPC rules: gRPC is HTTP/2',
  check: perGroup((group) => {
    const rules = child(group, 'rules');
    if (!rules || !('grpc' in rules.value)) return [];
    const path = [...rules.path, 'grpc'];
    const calls = asList(rules.value['grpc']).map(asHttp);
    const known = calls.filter((call) => call !== undefined);
    return [
      {
        path,
        happens: lostRules('grpc', rules.value),
        instead: 'gRPC is HTTP/2: `http: [{method: "POST", path: "/package.Service/Method"}]`.',
        ...(known.length > 0 && known.length === calls.length
          ? { fix: fix('The same as HTTP rules', remove(path), add([...rules.path, 'http'], [...asList(rules.value['http']), ...known])) }
          : {}),
      },
    ];
  }),
};

function asHttp(entry: unknown): Raw | undefined {
  const call = asRecord(entry);
  const [service, method] = [call?.['service'] ?? call?.['serviceName'], call?.['method'] ?? call?.['methodName']];
  if (typeof service !== 'string' || !/^[\w.]+$/.test(service)) return undefined;
  if (method !== undefined && (typeof method !== 'string' || !/^\w+$/.test(method))) return undefined;
  return { method: 'POST', path: `/${service.replaceAll('.', '\\.')}/${method ?? '.*'}` };
}

export const kafkaRules: LintRule = {
  id: 'kafka-rules',
  severity: 'error',
  title: 'Kafka rules were removed in Cilium 1.20',
  check: perGroup((group) => {
    const rules = child(group, 'rules');
    return ['kafka', 'l7', 'l7proto']
      .filter((key) => rules && key in rules.value)
      .map((key) => {
        const path = [...group.path, 'rules', key];
        const alone = Object.keys(rules?.value ?? {}).every((one) => ['kafka', 'l7', 'l7proto'].includes(one));
        return {
          path,
          happens: `${lostRules(key, rules?.value ?? {})} Kafka and proxylib rules were removed in Cilium 1.20 (before that: a literal topic, \`role\` or one exact apiKey, never an action or a pattern).`,
          instead: "Allow the broker's port at L4 (TCP 9092) and keep who may read and write in Kafka's own ACLs.",
          fix: fix('Allow the port only', remove(alone ? [...group.path, 'rules'] : path)),
        };
      });
  }),
};

/** `rules` must hold exactly one of http and dns (the CRD's oneOf), which an emptied one does not. */
function lostRules(key: string, rules: Raw): string {
  const others = Object.keys(rules).some((one) => one === 'http' || one === 'dns');
  return others
    ? `There is no \`rules.${key}\`: the server drops it, and only the other L7 rules remain.`
    : `There is no \`rules.${key}\`: the server drops it and then refuses the empty \`rules\` without naming the cause; a server without that check would let everything through on these ports.`;
}

export const fromServices: LintRule = {
  id: 'from-services',
  severity: 'error',
  title: 'There is no fromServices: services are destinations only',
  check: perRule((rule) => {
    if (rule.direction !== 'ingress' || !('fromServices' in rule.value)) return [];
    const left = limitsPorts(rule) ? 'admits EVERYBODY on its ports' : 'admits nobody';
    const verb = rule.deny ? left.replace('admits', 'denies') : left;
    return [
      {
        path: [...rule.path, 'fromServices'],
        happens: `There is no \`fromServices\`: the server drops it, and the rule ${verb}.`,
        instead: 'Name the pods behind it (`fromEndpoints` with their labels), or use `fromEntities` or `fromCIDRSet`.',
      },
    ];
  }),
};

export const denyL7: LintRule = {
  id: 'deny-l7',
  severity: 'error',
  title: 'Deny rules have no L7 part: they deny the whole port',
  check: perGroup((group, rule) =>
    rule.deny && 'rules' in group.value
      ? [
          {
            path: [...group.path, 'rules'],
            happens: 'Deny rules have no `rules`: the server drops them, and the whole port is denied.',
            instead: `${ALLOW_LIST} Move the requests that are welcome into ${rule.direction}.`,
          } satisfies Draft,
        ]
      : [],
  ),
};

export const requires: LintRule = {
  id: 'requires',
  severity: 'error',
  title: 'fromRequires and toRequires do nothing',
  check: perRule((rule) =>
    ['fromRequires', 'toRequires']
      .filter((key) => items(rule, key).length > 0)
      .map((key) => ({
        path: [...rule.path, key],
        happens: `\`${key}\` is an empty shell in the schema (no entry is accepted), and the engine never reads it.`,
        instead: 'Add the labels to each selector of the rule.',
        fix: fix('Leave it out', remove([...rule.path, key])),
      })),
  ),
};
