// Ports as Cilium reads them.

import { isPortName } from '../../port.ts';
import { entities, member, namesNobody } from '../peers.ts';
import { portNumber, portsOf } from '../ports.ts';
import { add, type Draft, fix, type LintRule, perRule, remove, replace } from '../rule.ts';
import { asList, items, type Located, type Raw, type RuleView } from '../view.ts';

function perPort(check: (port: Located<Raw>, rule: RuleView) => readonly Draft[]) {
  return perRule((rule) => portsOf(rule).flatMap((port) => check(port, rule)));
}

const isNamed = ({ value }: Located<Raw>): boolean => typeof value['port'] === 'string' && isPortName(value['port']);

/** A number to most languages, and a port name to Cilium. */
const LOOKS_LIKE_NUMBER = /^0(x[\da-f]+|o[0-7]+|b[01]+)$/i;

export const portBase: LintRule = {
  id: 'port-base',
  severity: 'error',
  title: 'Ports are read with Go base 0',
  check: perPort((port) => {
    const text = port.value['port'];
    if (typeof text !== 'string' || !/^0[\w]/.test(text)) return [];
    const read = portNumber(text);
    const decimal = /^[0-9_]+$/.test(text) ? text.replaceAll('_', '').replace(/^0+(?=\d)/, '') : String(Number(text));
    if (read === undefined && !LOOKS_LIKE_NUMBER.test(text)) return [];
    return [
      {
        path: [...port.path, 'port'],
        happens:
          read === undefined
            ? `Cilium reads "${text}" as the NAME of a container port, not as a number.`
            : `Cilium reads "${text}" as an octal number: port ${read}.`,
        instead: 'Write the port as a plain decimal number.',
        ...(/^\d{1,5}$/.test(decimal) ? { fix: fix(`Port ${decimal}`, replace([...port.path, 'port'], decimal)) } : {}),
      },
    ];
  }),
};

export const portRange: LintRule = {
  id: 'port-range',
  severity: 'error',
  title: 'A range of ports is port and endPort',
  check: perPort((port) => {
    const [, from, to] = /^(\d{1,5})\s*[-:.–]+\s*(\d{1,5})$/.exec(String(port.value['port'])) ?? [];
    if (from === undefined || to === undefined) return [];
    const isRange = Number(from) <= Number(to) && Number(to) <= 0xffff && port.value['endPort'] === undefined;
    return [
      {
        path: [...port.path, 'port'],
        happens: `Cilium refuses the whole policy: "${String(port.value['port'])}" is no port (condition Valid=False), and nothing of it is enforced.`,
        instead: `\`port: "${from}", endPort: ${to}\`.`,
        ...(isRange
          ? { fix: fix(`Ports ${from} to ${to}`, replace([...port.path, 'port'], from), add([...port.path, 'endPort'], Number(to))) }
          : {}),
      },
    ];
  }),
};

const WITHOUT_PORTS: readonly unknown[] = ['VRRP', 'IGMP', 'GRE', 'IPIP', 'IPV6', 'ESP', 'AH'];

/** Whether this works depends on how the cluster's Cilium was installed, which no file says. */
export const needsSetting: LintRule = {
  id: 'needs-setting',
  severity: 'warning',
  title: 'The policy needs a setting of Cilium that is off by default',
  check: perRule((rule) => [
    ...portsOf(rule)
      .filter(({ value }) => WITHOUT_PORTS.includes(value['protocol']))
      .slice(0, 1)
      .map(({ path }) => ({
        path: [...path, 'protocol'],
        happens:
          'Protocols without ports need `enable-extended-ip-protocols: true` in cilium-config. Where that is off, Cilium refuses the whole policy.',
        instead: 'Ask whether it is on in this cluster.',
      })),
    ...items(rule, member(rule, 'Nodes'))
      .slice(0, 1)
      .map(({ path }) => ({
        path,
        happens:
          'Nodes by their labels need `enable-node-selector-labels: true` in cilium-config. Where that is off, Cilium refuses the whole policy.',
        instead: 'Ask whether it is on in this cluster.',
      })),
  ]),
};

/** The policy as an agent with all those settings on reads it. */
export function withSettingsOn(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withSettingsOn);
  if (typeof value !== 'object' || value === null) return value;
  const record = value as Raw;
  if (WITHOUT_PORTS.includes(record['protocol']) && record['port'] === undefined) return { ...record, port: '0' };
  const named = Object.entries(record).map(([key, inner]): [string, unknown] => {
    if (key !== 'fromNodes' && key !== 'toNodes') return [key, withSettingsOn(inner)];
    return [key.replace('Nodes', 'Entities'), ['remote-node']];
  });
  return Object.fromEntries(named);
}

export const portZero: LintRule = {
  id: 'port-zero',
  severity: 'warning',
  title: 'Port 0 means all ports',
  check: perPort((port) =>
    portNumber(port.value['port']) === 0 && !/^0\w/.test(String(port.value['port']))
      ? [
          {
            path: [...port.path, 'port'],
            happens: `Port "0" means ALL ports${port.value['endPort'] === undefined ? '' : ', whatever endPort says'}.`,
            instead: 'Name the ports. If all are meant, leave toPorts out.',
          },
        ]
      : [],
  ),
};

export const endPortBelow: LintRule = {
  id: 'end-port-below',
  severity: 'warning',
  title: 'An endPort below port is ignored',
  check: perPort((port) => {
    const [from, to] = [portNumber(port.value['port']), port.value['endPort']];
    if (from === undefined || from === 0 || typeof to !== 'number' || to >= from || to === 0) return [];
    const path = [...port.path, 'endPort'];
    return [
      {
        path,
        happens: `endPort ${to} is below port ${from}: Cilium takes the single port ${from}, not a range.`,
        instead: `Write the range from low to high: \`port: "${to}", endPort: ${from}\`.`,
        fix: fix('Low to high', replace([...port.path, 'port'], String(to)), replace(path, from)),
      },
    ];
  }),
};

export const endPortNamed: LintRule = {
  id: 'end-port-named',
  severity: 'warning',
  title: 'A range from a named port starts wherever the pod puts it',
  check: perPort((port) =>
    isNamed(port) && typeof port.value['endPort'] === 'number' && port.value['endPort'] > 0
      ? [
          {
            path: [...port.path, 'endPort'],
            happens: `The range starts at the number that each pod gives to "${String(port.value['port'])}", so it differs from pod to pod.`,
            instead: 'Write the range in numbers, or leave endPort out.',
            fix: fix('Only the named port', remove([...port.path, 'endPort'])),
          },
        ]
      : [],
  ),
};

export const egressNamedPort: LintRule = {
  id: 'egress-named-port',
  severity: 'warning',
  title: 'Named ports of egress are the names of the destination pod',
  check: perPort((port, rule) => {
    if (rule.direction !== 'egress' || !isNamed(port) || LOOKS_LIKE_NUMBER.test(String(port.value['port']))) return [];
    const outside = ['CIDR', 'CIDRSet', 'FQDNs'].some((name) => asList(rule.value[member(rule, name)]).length > 0);
    const world = entities(rule).length > 0 && entities(rule).every((one) => typeof one === 'string' && one.startsWith('world'));
    if (!outside && !world && !namesNobody(rule)) return [];
    return [
      {
        path: [...port.path, 'port'],
        happens: `"${String(port.value['port'])}" is looked up among the destination pod's container ports: never for addresses outside of the cluster, so there the rule ${rule.deny ? 'denies' : 'allows'} nothing.`,
        instead: 'Write the number.',
      },
    ];
  }),
};
