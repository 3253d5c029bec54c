// How the state of a cluster's encryption reads, for a message and a terminal alike.
import { number, plural } from '../words/words.ts';
import { keepingOf } from './keeping.ts';
import { type Configured, isTunnel, type Mode } from './mode.ts';
import { type Pairs, pairsOf } from './pairs.ts';
import { type Disagreement, disagrees, type NodeReading, type Reading } from './reading.ts';
import { hasWireGuard, listed, modeName } from './refusals.ts';

/** One paragraph: what stands out, and what follows. Plain text. */
export interface Paragraph {
  readonly strong?: string;
  readonly text: string;
}

export interface StatusWords {
  readonly head: string;
  readonly paragraphs: readonly Paragraph[];
}

/** More nodes than this are not named in a message. */
export const MOST_NAMED = 10;

const LONGEST_HEAD = 60;
const DAY_MS = 86_400_000;

/** The first line: at most 60 characters, a long name of the cluster is cut. */
export function headOf({ facts, nodes }: Reading): string {
  const running = (mode: Mode): number => nodes.filter((node) => node.running === mode).length;
  const parts = (['wireguard', 'ipsec'] as const).flatMap((mode) =>
    running(mode) > 0 ? [`${modeName(mode)} on ${number(running(mode))}`] : [],
  );
  const unknown = nodes.filter((node) => node.running === undefined).length;
  const state =
    parts.length > 0
      ? `${parts.join(', ')} of ${plural(nodes.length, 'node')}`
      : nodes.length === 0
        ? 'no nodes'
        : unknown === nodes.length
          ? 'not known'
          : 'off';
  const room = LONGEST_HEAD - 'Encryption : '.length - state.length;
  return `Encryption ${inMiddle(facts.cluster, room)}: ${state}`;
}

function inMiddle(name: string, room: number): string {
  if (name.length <= room) return name;
  const half = Math.max(1, Math.floor((room - 1) / 2));
  return `${name.slice(0, half)}…${name.slice(-half)}`;
}

/** Everything a person should know, worst first. */
export function statusWords(reading: Reading, pairs: Pairs = pairsOf(reading)): StatusWords {
  const isOff = reading.nodes.every((node) => node.running === 'off') && reading.wanted.mode === 'off';
  const paragraphs = [
    ...disagreeing(reading),
    ...brokenWords(pairs),
    { text: isOff ? offWords(reading) : onWords(reading, pairs) },
    ...oldPodsWords(reading),
    ...keepingWords(reading),
    ...unreadWords(reading),
  ];
  return { head: headOf(reading), paragraphs };
}

function disagreementsOf({ disagreements }: NodeReading): string {
  return disagreements
    .filter(({ kind }) => kind !== 'old-pods')
    .map(disagreementWords)
    .join('; ');
}

/** All that there is to say about one node, in the order of weight. */
export function nodeWords({ disagreements }: NodeReading): string {
  return disagreements.map(disagreementWords).join('; ');
}

function disagreeing({ nodes }: Reading): readonly Paragraph[] {
  const differing = nodes.filter(disagrees);
  if (differing.length === 0) return [];
  const shown = differing.slice(0, MOST_NAMED).map((node) => `${node.name}: ${disagreementsOf(node)}`);
  const more = differing.length - shown.length;
  return [
    {
      strong: differing.length === 1 ? '1 node disagrees:' : `${number(differing.length)} nodes disagree:`,
      text: [...shown, ...(more > 0 ? [`and ${number(more)} more in the file`] : [])].join(' · '),
    },
  ];
}

/** One sentence without a full stop; what to do in brackets. */
export function disagreementWords(one: Disagreement): string {
  switch (one.kind) {
    case 'agent-down':
      return 'no ready agent, so what it published may be old';
    case 'agent-older':
      return `agent older than its configuration, ${wantedWords(one.configured)} but ${runningWords(one.running)} (restart needed)`;
    case 'not-done':
      if (one.configured === 'wireguard') return 'no key published, so it has no peers';
      return `${wantedWords(one.configured)} but ${runningWords(one.running)}`;
    case 'two-modes':
      return 'configured for two modes at once: its agent does not come up again';
    case 'endpoints':
      return `${number(one.wrong)} of ${plural(one.of, 'pod')} without the key of the node`;
    case 'same-key':
      return `same public key as ${one.as}`;
    case 'blocked':
      return `a CiliumNodeConfig sets ${one.keys.join(', ')}, which is not allowed here`;
    case 'own-configuration':
      return `${wantedWords(one.configured)} by CiliumNodeConfig ${one.by.join(', ')}, unlike the cluster`;
    case 'version':
      return `agent is ${one.version}, most are ${one.others}`;
    case 'old-pods':
      return `${plural(one.count, 'pod')} may be older than the encryption and keep a larger MTU`;
    default:
      return one satisfies never;
  }
}

function wantedWords(mode: Configured): string {
  if (mode === 'off') return 'configured off';
  return mode === 'both' ? 'configured for two modes' : `configured for ${modeName(mode)}`;
}

function runningWords(mode: Mode): string {
  return mode === 'off' ? 'nothing runs' : `${modeName(mode)} runs`;
}

function brokenWords({ nodes, rows }: Pairs): readonly Paragraph[] {
  const broken: string[] = [];
  for (const [row, states] of rows.entries()) {
    for (const [column, state] of states.entries()) if (state === 'broken') broken.push(`${nodes[row]} → ${nodes[column]}`);
  }
  return broken.length === 0 ? [] : [{ strong: 'Broken:', text: `${listed(broken, MOST_NAMED)} lose new connections.` }];
}

function onWords(reading: Reading, { counts }: Pairs): string {
  const { facts, wanted, nodes } = reading;
  const all = [
    [counts.encrypted, 'encrypted'],
    [counts.plain, 'plain'],
    [counts.broken, 'broken'],
    [counts.changing, 'changing'],
    [counts.unknown, 'not known'],
  ] as const;
  const said = all.filter(([count, name]) => count > 0 || name === 'encrypted').map(([count, name]) => `${number(count)} ${name}`);
  const keys = facts.nodes.flatMap(({ publicKey, keySince }) => (publicKey !== undefined && keySince !== undefined ? [keySince] : []));
  const oldest = keys.length === 0 ? undefined : Math.floor((facts.readAt - Math.min(...keys)) / DAY_MS);
  const strict = [wanted.strictEgress ? 'egress' : '', wanted.strictIngress ? 'ingress' : ''].filter((one) => one !== '');
  const since = nodes.flatMap((node) => (node.since === undefined || node.running === undefined ? [] : [node.since]));
  return [
    `Pairs, by what the agents publish (nothing was probed): ${said.join(', ')}.`,
    ...(since.length === 0
      ? []
      : [`On since ${day(Math.min(...since))} or before${since.length > 1 ? `, last node ${day(Math.max(...since))}` : ''}.`]),
    ...(oldest === undefined || oldest === 0 ? [] : [`Keys: oldest at least ${plural(oldest, 'day')}.`]),
    `Strict mode ${strict.length === 0 ? 'off' : `on (${strict.join(', ')})`}.`,
    `Node-to-node ${wanted.nodeToNode ? 'on' : 'off'}.`,
  ].join(' ');
}

function day(at: number): string {
  return `${new Date(at).toISOString().slice(0, 16).replace('T', ' ')} UTC`;
}

function offWords({ facts }: Reading): string {
  const { config, nodes } = facts;
  const routing = isTunnel(config) ? 'tunnel routing' : 'native routing';
  const without = nodes.filter(({ kernel }) => kernel !== undefined && !hasWireGuard(kernel)).length;
  const silent = nodes.every(({ kernel }) => kernel === undefined);
  const kernels = silent
    ? 'kernels not known'
    : without === 0
      ? 'every kernel is new enough for WireGuard'
      : `${number(without)} kernels are too old for WireGuard`;
  const how = isTunnel(config) ? 'All agents would have to restart together.' : 'It could be turned on node by node.';
  return `${plural(nodes.length, 'node')}, ${routing}, ${kernels}. Traffic between nodes is readable on the wire. ${how}`;
}

function oldPodsWords({ nodes }: Reading): readonly Paragraph[] {
  const counts = nodes.flatMap(({ disagreements }) => disagreements.flatMap((one) => (one.kind === 'old-pods' ? [one.count] : [])));
  const count = counts.reduce((sum, one) => sum + one, 0);
  if (count === 0) return [];
  const who = `${plural(count, 'pod')} on ${plural(counts.length, 'node')}`;
  const text =
    'may be older than the encryption and keep a larger MTU. Where fragments are dropped on the way, their large packets are lost until they are replaced.';
  return [{ strong: who, text }];
}

function keepingWords(reading: Reading): readonly Paragraph[] {
  const keeping = keepingOf(reading);
  switch (keeping.kind) {
    case 'by-hand':
    case 'held':
      return [];
    case 'not-in-values':
      return [
        {
          strong: `${keeping.by} does not have it:`,
          text: `an upgrade keeps it, a new installation turns it off. Commit ${keeping.values.join(', ')}.`,
        },
      ];
    case 'may-come-back':
      return [
        {
          strong: `${keeping.by} may turn it on again at the next upgrade, or refuse to upgrade:`,
          text: `somebody else wrote its keys. Commit ${keeping.values.join(', ')}.`,
        },
      ];
    default:
      return keeping satisfies never;
  }
}

function unreadWords({ facts: { unread } }: Reading): readonly Paragraph[] {
  if (unread.length === 0) return [];
  return [{ strong: 'Not read:', text: `${listed(unread)}, since this account may not. What depends on it is missing here.` }];
}

/** One line for each node, for a file: tab-separated, with a head. */
export function nodeTable(reading: Reading): string {
  const rows = reading.nodes.map((node) => [
    node.name,
    node.zone ?? '',
    node.configured.mode,
    node.running ?? 'unknown',
    node.since === undefined ? '' : new Date(node.since).toISOString(),
    nodeWords(node),
  ]);
  return `${[['node', 'zone', 'configured', 'running', 'since (at the latest)', 'disagrees'], ...rows].map((row) => row.join('\t')).join('\n')}\n`;
}
