import type { CommandSpec } from './spec.ts';

/** What guards the mesh beside the operations themselves: history, freezes, giving up an undo. */
export const GUARDING_VERBS: readonly CommandSpec[] = [
  {
    name: 'history',
    grammar: 'history [[cluster/][namespace/]name] [--since 7d] [--who operator] [--verb canary] [--outcome rolled-back]',
    summary: 'The last ten operations, and how they ended.',
    help: ['From the audit database, so it does not depend on what Slack or Temporal still keep. Without a service: of every service.'],
    examples: ['history', 'history backend', 'history --outcome rolled-back --since 7d'],
    flags: ['since', 'who', 'verb', 'outcome'],
    gate: 'none',
  },
  {
    name: 'doctor',
    grammar: 'doctor',
    summary: 'What meshops lacks here, and how to fix it.',
    help: ['The same as `meshops doctor` on the command line, as the bot sees it. It changes nothing.'],
    examples: ['doctor'],
    flags: [],
    gate: 'none',
  },
  {
    name: 'freeze',
    grammar: 'freeze [<scope> <duration> <reason>]',
    form: 'Freeze…',
    summary: 'Stop new changes and next steps for a while.',
    help: [
      'The scope is `*`, a cluster, cluster/namespace or cluster/namespace/name; the duration is at most 30 days. Alone it lists the freezes that hold now.',
      'What is in place stays in place and is watched. A rollback, an abort and 0% are always possible.',
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
      'A freeze can be lifted, or replaced, by the person who set it and by anyone the gates name as an approver there.',
    ],
    examples: ['unfreeze demo/backend', 'unfreeze *'],
    flags: [],
    gate: 'none',
  },
  {
    name: 'release',
    grammar: 'release <operation> [reason]',
    summary: 'End an operation whose rollback keeps failing.',
    help: [
      'Two approvers, for a rollback that has been failing for half a minute. The operation ends as abandoned. What is in place then stays, and nobody watches it: roll it back by hand, with the commands that the operation shows.',
    ],
    examples: ['release canary-3f9a2c', 'release canary-3f9a2c the cluster is gone'],
    flags: [],
    gate: 'none',
  },
  {
    name: 'review',
    grammar: 'review <operation> [words]',
    summary: 'Sign that you have looked at an emergency.',
    help: [
      "An operation that began with `--emergency` waits for two who have not asked for it. Whom meshops.yaml names sees it in the app's Home until then. Nobody reviews their own.",
    ],
    examples: ['review canary-3f9a2c', 'review canary-3f9a2c right, and the alert was real'],
    flags: [],
    gate: 'none',
  },
];
