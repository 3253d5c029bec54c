import type { Verb } from '../verbs.ts';

/** Header A/B, and what guards the mesh beside the operations themselves: history, freezes, giving up an undo. */
export const GUARDING_VERBS: readonly Verb[] = [
  {
    name: 'ab',
    grammar: 'ab [cluster/][namespace/]name <header>=<value>|off [--soak 2m] [--slo 1%] [--latency 500ms] [--reason "…"]',
    summary: 'Send requests with one header to the canary, beside the weights.',
    help: [
      'A rule with the header match is put before the others in every route of the service that has the canary as a backend; rules of others stay as they are, and so do the weights. `off` takes exactly that rule away and needs no approval.',
      'Planned, approved, watched and taken back like a share of the traffic.',
    ],
    examples: ['ab backend x-canary=yes', 'ab shop/backend x-user-group=testers --soak 5m', 'ab backend off'],
    flags: ['soak', 'slo', 'latency', 'reason'],
    gate: 'required',
    changes: 'canary',
  },
  {
    name: 'history',
    grammar: 'history [[cluster/][namespace/]name]',
    summary: 'The last ten operations: who asked for what, how they ended, with which numbers.',
    help: ['From the audit database, so it does not depend on what Slack or Temporal still keep. Without a service: of every service.'],
    examples: ['history', 'history backend'],
    flags: [],
    gate: 'none',
  },
  {
    name: 'doctor',
    grammar: 'doctor',
    summary: 'What meshops lacks here: connections, rights, settings, and what to do about each.',
    help: ['The same as `meshops doctor` on the command line, as the bot sees it. It changes nothing.'],
    examples: ['doctor'],
    flags: [],
    gate: 'none',
  },
  {
    name: 'freeze',
    grammar: 'freeze [<scope> <duration> <reason>]',
    summary: 'Stop new operations and next stages for a while; never an undo.',
    help: [
      'The scope is `*`, a cluster, cluster/namespace or cluster/namespace/name; the duration is at most 30 days. Alone it lists the freezes that hold now.',
      'What is in force stays in force and watched. A rollback, an abort and 0% are always possible.',
    ],
    examples: ['freeze', 'freeze demo/backend 2h release weekend', 'freeze * 30m incident 4711'],
    flags: [],
    gate: 'none',
  },
  {
    name: 'unfreeze',
    grammar: 'unfreeze <scope>',
    summary: 'End a freeze early.',
    help: [
      'The scope as `freeze` shows it. Operations that waited go on within seconds to minutes.',
      'Whoever set a freeze lifts it, and so does anybody whom the gates name as an approver there; the same holds for setting another in its place.',
    ],
    examples: ['unfreeze demo/backend', 'unfreeze *'],
    flags: [],
    gate: 'none',
  },
  {
    name: 'release',
    grammar: 'release <operation> [reason]',
    summary: 'Give up an undo that keeps failing: two approvers, and the operation ends as abandoned.',
    help: [
      'Only for an operation whose undo has been failing for half a minute. What is in force then stays in force, and nobody holds or watches it: put it back by hand, with the commands that the operation shows.',
    ],
    examples: ['release canary-3f9a2c', 'release canary-3f9a2c the cluster is gone'],
    flags: [],
    gate: 'none',
  },
];
