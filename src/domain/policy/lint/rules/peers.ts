// Peers that mean more or less than they say.
import { entities, member, namesNobody } from '../peers.ts';
import { limitsPorts } from '../ports.ts';
import { add, type Draft, fix, type LintRule, perRule, perSpec, replace } from '../rule.ts';
import { asRecord, deniesByDefault, items, type Raw, records } from '../view.ts';

export const servicesWithPorts: LintRule = {
  id: 'services-with-ports',
  severity: 'warning',
  title: 'A Service that is not found opens its ports to everybody',
  check: perRule((rule, context) => {
    if (rule.direction !== 'egress' || rule.deny || !limitsPorts(rule)) return [];
    return records(rule, 'toServices').map(({ path, value }): Draft => {
      const named = asRecord(value['k8sService']);
      const name = named && serviceName(named, rule.spec.policy.namespace);
      const missing = name !== undefined && context.services !== undefined && !context.services.includes(name);
      return {
        path,
        happens: missing
          ? `There is no Service ${name}: toServices is then nothing, and with toPorts the ports are open to EVERYBODY, the world included (cilium/cilium #20067).`
          : 'As long as the Service is not found, toServices is nothing, and with toPorts the ports are open to EVERYBODY, the world included (cilium/cilium #20067).',
        instead: 'Name the pods behind it (`toEndpoints`), or leave toPorts out: then a missing Service allows nothing.',
        ...(missing ? { severity: 'error' } : {}),
      };
    });
  }),
};

function serviceName({ namespace, serviceName: name }: Raw, own = 'default'): string | undefined {
  return typeof name === 'string' ? `${typeof namespace === 'string' && namespace !== '' ? namespace : own}/${name}` : undefined;
}

export const denyServices: LintRule = {
  id: 'deny-services',
  severity: 'error',
  title: 'toServices is never resolved in egressDeny',
  check: perRule((rule) =>
    rule.direction === 'egress' && rule.deny && items(rule, 'toServices').length > 0
      ? [
          {
            path: [...rule.path, 'toServices'],
            happens: `Cilium never resolves toServices in egressDeny: the rule ${limitsPorts(rule) ? 'denies these ports to EVERYBODY' : 'does nothing'}.`,
            instead: 'Name the pods (`toEndpoints`) or addresses (`toCIDRSet`).',
          },
        ]
      : [],
  ),
};

export const bareIp: LintRule = {
  id: 'bare-ip',
  severity: 'error',
  title: 'An address is no CIDR',
  check: perRule((rule) =>
    items(rule, member(rule, 'CIDR')).flatMap(({ path, value }) => {
      if (typeof value !== 'string' || value.includes('/') || !/^[\da-f.:]+$/i.test(value)) return [];
      const cidr = `${value}/${value.includes(':') ? 128 : 32}`;
      return [
        {
          path,
          happens: `The engine would take ${value}, but the server's schema refuses an address without a prefix length.`,
          instead: `\`${cidr}\`.`,
          fix: fix(cidr, replace(path, cidr)),
        },
      ];
    }),
  ),
};

/** Traffic of the Gateway and of Ingresses arrives with an identity of its own, never with the client's. */
export const gatewayKeptOut: LintRule = {
  id: 'gateway-kept-out',
  severity: 'note',
  title: 'The Gateway is no peer of this policy',
  check: perSpec((spec, context) => {
    if (!context.behindGateway || !deniesByDefault(spec, 'ingress')) return [];
    const admitted = spec.rules
      .filter((rule) => rule.direction === 'ingress' && !rule.deny)
      .some(
        (rule) =>
          entities(rule).some((one) => ['ingress', 'all', 'cluster'].includes(String(one))) || (namesNobody(rule) && limitsPorts(rule)),
      );
    if (admitted) return [];
    const exists = spec.rules.some((rule) => rule.direction === 'ingress' && !rule.deny);
    const entry = { fromEntities: ['ingress'] };
    return [
      {
        path: [...spec.path, exists ? 'ingress' : 'ingressDeny'],
        happens:
          'These pods stand behind the Gateway. Its traffic has the identity `reserved:ingress`, which no rule here admits: it is denied.',
        instead: 'Add an ingress rule with `fromEntities: [ingress]` (and its port).',
        fix: fix('Admit the Gateway', exists ? add([...spec.path, 'ingress', '-'], entry) : add([...spec.path, 'ingress'], [entry])),
      },
    ];
  }),
};
