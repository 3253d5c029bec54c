import type { CommandSpec } from '../commands/spec.ts';

/** Shares of the traffic, and header A/B. */
export const CANARY_COMMANDS: readonly CommandSpec[] = [
  {
    name: 'canary',
    grammar:
      'canary [cluster/][namespace/]name <percent>% [--steps 5,10,25] [--soak 2m] [--slo 1%|relative] [--latency 500ms] [--budget 20] [--probe 5/s] [--include-other-namespaces] [--reason "…"] [--emergency "…"]',
    summary: 'Send a share of requests to a new version, in steps.',
    help: [
      'A canary that does harm is rolled back at once, before anyone is asked. 0% and 100% are ordinary values; percents go in steps of 0.1.',
      'The share goes to the Service named in the annotation `meshops.dev/canary` of a route, else to `<name>-canary` beside `<name>`, else to `<name>` itself where it has the smaller share. The plan says who gains and who loses before anything is changed.',
      'Up to 10% is one step; more climbs the configured rungs. `--steps` names the rungs, `--soak` how long each is watched, `--slo` the share of failures that is allowed, `--latency` from when on an answer counts as a failure.',
      '`--slo relative` holds the canary to what the others do in the same time, where they break the objective themselves. `--budget` ends the operation at so many failures above the objective, whatever chance says.',
      '`--probe` sends requests of its own through the gateway while a stage is watched, for a service with little traffic; they count for the side they reach and are told apart.',
      'Every rule of every route in the namespace moves together. Where routes of other namespaces name the service too, the command is refused unless `--include-other-namespaces` says that they are meant.',
    ],
    examples: [
      'canary backend 10%',
      'canary shop/backend 50% --steps 5,10,25 --soak 2m',
      'canary backend 0.5% --slo 0.5% --reason "new cache"',
    ],
    flags: ['steps', 'soak', 'slo', 'latency', 'budget', 'probe', 'include-other-namespaces', 'reason', 'emergency'],
    form: 'Start a canary…',
    gate: 'required',
    changes: 'canary',
  },
  {
    name: 'promote',
    grammar:
      'promote [cluster/][namespace/]name [--steps 25,50] [--soak 2m] [--slo 1%|relative] [--latency 500ms] [--budget 20] [--probe 5/s] [--include-other-namespaces] [--reason "…"] [--emergency "…"]',
    summary: 'Take the canary on to 100%.',
    help: ['The same as `canary <service> 100%`. An operation that is still watched goes on; "before" stays what it was before it began.'],
    examples: ['promote backend', 'promote backend --soak 5m'],
    flags: ['steps', 'soak', 'slo', 'latency', 'budget', 'probe', 'include-other-namespaces', 'reason', 'emergency'],
    gate: 'required',
    changes: 'canary',
  },
  {
    name: 'rollback',
    grammar: 'rollback [cluster/][namespace/]name [--reason "…"]',
    summary: 'Roll back the last change of a service.',
    help: [
      'Rolls back what runs, else what completed last. It is free for a day after that, and later takes the gate of the change itself. What would raise a share again climbs and is watched like any change.',
      'Refused where somebody else has changed the same fields since; the difference is shown then. What is already rolled back is not rolled back again.',
    ],
    examples: ['rollback backend', 'rollback backend --reason "customers complain"'],
    flags: ['reason'],
    gate: 'none',
    gatedAs: 'canary',
    changes: 'canary',
  },
  {
    name: 'ab',
    grammar: 'ab [cluster/][namespace/]name <header>=<value>|off [--soak 2m] [--slo 1%] [--latency 500ms] [--reason "…"] [--emergency "…"]',
    summary: 'Send requests with one header to the canary.',
    help: [
      'A rule with the header match is put before the others in every route of the service that has the canary as a backend; rules of others stay as they are, and so do the weights. `off` takes exactly that rule away and needs no approval.',
      'Planned, approved, watched and rolled back like a share of the traffic.',
    ],
    examples: ['ab backend x-canary=yes', 'ab shop/backend x-user-group=testers --soak 5m', 'ab backend off'],
    flags: ['soak', 'slo', 'latency', 'reason', 'emergency'],
    gate: 'required',
    changes: 'canary',
  },
];
