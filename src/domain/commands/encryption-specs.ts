import type { CommandSpec } from './spec.ts';

/** The verbs behind `/encryption` and `/mesh encryption`. */
export const ENCRYPTION_VERBS: readonly CommandSpec[] = [
  {
    name: 'encryption status',
    grammar: 'encryption status [cluster]',
    summary: 'What encrypts traffic between nodes, what disagrees.',
    help: [
      'By what the agents publish: nothing is probed and nobody enters a pod. A pair of nodes is encrypted, plain, broken, changing or not known; an agent of seconds ago counts as changing, since it publishes its key before it encrypts.',
      'Nodes that disagree are named: an agent older than its configuration, a node without a key, pods of before the encryption. So is what Helm or Git do not know.',
    ],
    examples: ['encryption status', 'encryption status demo'],
    flags: [],
    gate: 'none',
  },
  {
    name: 'encryption advise',
    grammar: 'encryption advise [cluster]',
    summary: 'WireGuard or IPsec for this cluster, with reasons.',
    help: ['From routing mode, kernels, labels of the nodes, versions and settings. The Helm values to set come with it.'],
    examples: ['encryption advise', 'encryption advise demo'],
    flags: [],
    gate: 'none',
  },
];
