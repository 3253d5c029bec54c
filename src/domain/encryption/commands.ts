import type { ChangeOptions } from '../commands/command.ts';
import type { CommandSpec, ReadChange } from '../commands/spec.ts';

const OPTIONS = '[--steps 10,50,100] [--soak 2m] [--reason "…"]';

/** The commands behind `/encryption` that change something. */
export const ENCRYPTION_COMMANDS: readonly CommandSpec[] = [
  {
    name: 'encryption on',
    grammar: `encryption on wireguard [cluster] ${OPTIONS}`,
    summary: 'Turn WireGuard on between nodes, node by node.',
    help: [
      'Each stage tells its nodes by a CiliumNodeConfig and replaces their agents one after the other. The next stage begins when keys, pods and traffic say that the changed nodes work; where nothing can be seen on the wire it waits out the lag that was measured, and says so.',
      'Traffic between nodes is watched all the time. Where connections get no answer or hang, the configuration goes back, the same agents are replaced again, and it says how far that is.',
      'Nothing else starts in the cluster meanwhile. Native routing only: in tunnel mode a node with encryption and one without lose what they send each other.',
    ],
    examples: ['encryption on wireguard', 'encryption on wireguard demo --steps 10,50 --reason "audit"'],
    flags: ['steps', 'soak', 'reason'],
    gate: 'required',
    changes: 'encryption',
    read: readOn,
  },
  {
    name: 'encryption off',
    grammar: `encryption off [cluster] ${OPTIONS}`,
    summary: 'Turn encryption off between nodes, node by node.',
    help: [
      'What is sent between nodes is readable on the wire again. Two people must agree, unless a gate names this command.',
      'Each node loses connections to and from others for about 3 s as its agent restarts: that much is expected, counted and told; more rolls it back.',
    ],
    examples: ['encryption off', 'encryption off demo --reason "kernel bug"'],
    flags: ['steps', 'soak', 'reason'],
    gate: 'required',
    quorum: 2,
    changes: 'encryption',
    read: ([cluster = '', extra], { steps }) =>
      extra === undefined ? { target: cluster, change: { kind: 'off', ...(steps && { steps }) } } : `"${extra}" is one word too many.`,
  },
  {
    name: 'encryption window',
    grammar: `encryption window wireguard|off [cluster] [--soak 2m] [--reason "…"]`,
    summary: 'Tunnel mode: WireGuard on or off, all agents at once.',
    help: [
      'In tunnel mode a node with encryption and one without lose what they send each other, so all agents restart together: one window for the whole cluster, with a gate of its own. An undo restarts all of them together again.',
      'Refused unless the configuration says `tunnelWindow: allowed` for the cluster. Turning it on loses nothing where agents restart within 3.5 s of each other; turning it off loses what is sent between nodes for about 5 s.',
    ],
    examples: ['encryption window wireguard', 'encryption window off demo --reason "kernel bug"'],
    flags: ['soak', 'reason'],
    gate: 'required',
    quorum: 2,
    changes: 'encryption',
    read: readWindow,
  },
];

function readWindow([what, cluster = '', extra]: readonly string[]): ReadChange | string {
  const mode = what?.toLowerCase();
  if (mode !== 'wireguard' && mode !== 'off') return 'On or off? `encryption window wireguard` or `encryption window off`.';
  if (extra !== undefined) return `"${extra}" is one word too many.`;
  return { target: cluster, change: mode === 'off' ? { kind: 'off', window: true } : { kind: 'on', mode, window: true } };
}

function readOn([mode, cluster = '', extra]: readonly string[], { steps }: ChangeOptions): ReadChange | string {
  if (mode === undefined) return 'Which kind? `encryption on wireguard`. `encryption advise` says what suits this cluster.';
  if (mode.toLowerCase() === 'ipsec')
    return 'meshops does not turn IPsec on: nobody has measured what nodes lose that differ in it. Use the Helm values that `encryption advise` shows.';
  if (mode.toLowerCase() !== 'wireguard') return `"${mode}" is none that meshops can turn on: \`encryption on wireguard\`.`;
  return extra === undefined
    ? { target: cluster, change: { kind: 'on', mode: 'wireguard', ...(steps && { steps }) } }
    : `"${extra}" is one word too many.`;
}
