// A rule in the form of a Kubernetes NetworkPolicy.
import { member } from '../peers.ts';
import { type Draft, fix, type LintRule, perRule, replace } from '../rule.ts';
import { asList, asRecord, type Raw, type RuleView } from '../view.ts';
import { translated } from './selectors.ts';

export const copiedRule: LintRule = {
  id: 'copied-rule',
  severity: 'error',
  title: '`from`, `to` and `ports` are words of a Kubernetes NetworkPolicy',
  check: perRule((rule): readonly Draft[] => {
    const found = ['from', 'to', 'ports'].filter((key) => key in rule.value);
    const [first] = found;
    if (first === undefined) return [];
    const right = inCiliumsForm(rule);
    const peers = member(rule, 'Endpoints');
    return [
      {
        path: [...rule.path, first],
        also: found.map((key) => [...rule.path, key]),
        happens: `There is no ${found.map((key) => `\`${key}\``).join(' and ')} here: the server drops ${found.length > 1 ? 'them' : 'it'}, and the rule is left without ${found.includes('ports') ? 'its ports' : 'its peers'}${found.length > 1 ? ' and peers' : ''}.`,
        instead: `Cilium's words are \`${peers}\` (labels, with the namespace as a label) and \`toPorts: [{ports: [{port: "8080", protocol: TCP}]}]\`.`,
        ...(right ? { fix: fix("The same in Cilium's words", replace(rule.path, right)) } : {}),
      },
    ];
  }),
};

/** Undefined where it is not certain what the same would be. */
function inCiliumsForm(rule: RuleView): Raw | undefined {
  const { from, to, ports, ...rest } = rule.value;
  const peersKey = rule.direction === 'ingress' ? 'from' : 'to';
  const peers = rule.value[peersKey];
  if ((peersKey === 'from' ? to : from) !== undefined || Object.keys(rest).length > 0) return undefined;
  const translatedPeers = peers === undefined ? {} : peersOf(rule, asList(peers));
  const translatedPorts = ports === undefined ? {} : portsOf(asList(ports));
  // No peers means everybody there, and with ports here as well; without ports it would mean nobody.
  if (!translatedPeers || !translatedPorts || Object.keys(translatedPorts).length === 0) return undefined;
  return { ...translatedPeers, ...translatedPorts };
}

function peersOf(rule: RuleView, peers: readonly unknown[]): Raw | undefined {
  const records = peers.map(asRecord).filter((one) => one !== undefined);
  if (records.length === 0 || records.length < peers.length) return undefined;
  if (records.every((one) => asRecord(one['ipBlock']))) return { [member(rule, 'CIDRSet')]: records.map((one) => one['ipBlock']) };
  if (records.some((one) => one['ipBlock'] !== undefined)) return undefined;
  const selectors = records.map((one) => translated({ path: [], value: one }));
  return selectors.some((one) => one === undefined) ? undefined : { [member(rule, 'Endpoints')]: selectors };
}

function portsOf(ports: readonly unknown[]): Raw | undefined {
  const records = ports.map(asRecord).filter((one) => one !== undefined);
  if (records.length === 0 || records.some(({ port }) => typeof port !== 'number' && typeof port !== 'string')) return undefined;
  const written = records.map(({ port, endPort, protocol }) => ({
    port: String(port),
    ...(typeof endPort === 'number' ? { endPort } : {}),
    protocol: typeof protocol === 'string' ? protocol : 'TCP',
  }));
  return { toPorts: [{ ports: written }] };
}
