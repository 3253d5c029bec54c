import type { ChangeOptions } from '../commands/command.ts';
import type { CommandSpec, ReadChange } from '../commands/spec.ts';
import type { DeleteChange } from './change.ts';

const WORKLOAD = '[cluster/][namespace/]name';

/** `frontend`, or `shop/frontend earlier`. */
function readDelete([workload, policy, extra]: readonly string[], { steps, accept }: ChangeOptions): ReadChange | string {
  if (workload === undefined) return '`policy delete` needs a workload: `policy delete frontend`';
  if (extra !== undefined) return `\`policy delete\` takes a workload and a policy; what is ${extra}?`;
  const change: DeleteChange = {
    kind: 'delete',
    policy: policy ?? workload.slice(workload.lastIndexOf('/') + 1),
    ...(steps && { steps }),
    ...(accept && { accept }),
  };
  return { target: workload, change };
}

/** The verbs behind `/policy` and `/mesh policy`. */
export const POLICY_COMMANDS: readonly CommandSpec[] = [
  {
    name: 'policy enforce',
    grammar: `policy enforce ${WORKLOAD} [--window 10m] [--steps 10,50,100] [--soak 2m] [--no-observe] [--no-dryrun] [--replace] [--accept key,…] [--reason "…"] [--emergency "…"]`,
    summary: 'Put a network policy in place, pod by pod.',
    help: [
      'The policy comes from a ConfigMap in the namespace with the label `meshops.dev/policy=<workload>`, from the mounted folder, or from a file: write `@meshops enforce <workload>` with the file attached.',
      'It is observed for the window first (a shadow that allows everything and says what would be dropped), then enforced for one pod, then for the shares of `--steps`, then for all. `--no-observe` leaves the shadow out (but not where the policy allows by name).',
      'A drop that the policy causes rolls it back at once, before anyone is asked. Drops that are meant are named with `--accept`, by the keys that the dry-run shows.',
      'The plan waits for a dry-run of exactly this file; `--no-dryrun` leaves it out, and approvers are told. A policy of the same name that protects other pods as well is only replaced with `--replace`.',
    ],
    examples: ['policy enforce frontend', 'policy enforce shop/frontend --window 10m --steps 10,50 --reason "least privilege"'],
    flags: ['window', 'steps', 'soak', 'no-observe', 'no-dryrun', 'replace', 'accept', 'reason', 'emergency'],
    form: 'Enforce a policy…',
    gate: 'required',
    changes: 'policy',
  },
  {
    name: 'policy check',
    grammar: `policy check ${WORKLOAD}`,
    summary: 'Find what Cilium would ignore, or read otherwise.',
    help: [
      'Finds the fields and values that Cilium would ignore or read otherwise than they look, and asks the server in a strict dry run.',
    ],
    examples: ['policy check frontend'],
    flags: [],
    gate: 'none',
  },
  {
    name: 'policy dryrun',
    grammar: `policy dryrun ${WORKLOAD} [--window 10m]`,
    summary: 'Say which of the seen connections it would drop.',
    help: [
      "Decides the flows that Hubble's ring still holds, under the policies in force and with the candidate in its place. Changes nothing.",
      'Flows that say too little are listed, never guessed.',
    ],
    examples: ['policy dryrun frontend', 'policy dryrun shop/frontend --window 5m'],
    flags: ['window'],
    gate: 'none',
  },
  {
    name: 'policy learn',
    grammar: `policy learn ${WORKLOAD} [--window 10m]`,
    summary: 'Propose a policy that allows what was seen.',
    help: [
      'Comes as a file with counts and the difference to what is in force. Nothing is applied: read it, then check, dry-run or enforce it.',
    ],
    examples: ['policy learn frontend', 'policy learn shop/frontend --window 10m'],
    flags: ['window'],
    gate: 'none',
  },
  {
    name: 'policy observe',
    grammar: `policy observe ${WORKLOAD} [--window 10m] [--reason "…"]`,
    summary: 'See what a policy would drop, without enforcing it.',
    help: ['A shadow of the policy that denies nothing says for the window what it would drop. It is removed at the end.'],
    examples: ['policy observe frontend --window 10m'],
    flags: ['window', 'reason'],
    gate: 'required',
    changes: 'policy',
  },
  {
    name: 'policy relax',
    grammar: `policy relax ${WORKLOAD} [--reason "…"]`,
    summary: 'Roll back the last policy change of a workload.',
    help: [
      'The same as `rollback`, for the policy alone: what the operation made is removed, what it changed becomes what it was. The plan says what becomes reachable again. It is free for a day, and later takes the gate of the change itself.',
      'Refused where somebody else has changed the same objects since; the difference is shown then.',
    ],
    examples: ['policy relax frontend', 'policy relax frontend --reason "customers complain"'],
    flags: ['reason'],
    gate: 'none',
    gatedAs: 'policy enforce',
    changes: 'policy',
  },
  {
    name: 'policy delete',
    grammar: `policy delete ${WORKLOAD} [policy] [--steps 10,50,100] [--soak 2m] [--accept key,…] [--reason "…"]`,
    summary: 'Remove a network policy, pod by pod.',
    help: [
      'A CiliumNetworkPolicy of the namespace that selects the workload; without its name, the one that is called like the workload.',
      'The same steps as `policy enforce`, the other way: lifted from one pod first, then from the shares of `--steps`, then from all, watched each time; then the policy is removed. It opens what the policy denied, so the question says first what that is, and it always needs an approver.',
      'The policy as it was is a file in the thread: to bring it back is `policy enforce` with that file.',
    ],
    examples: ['policy delete frontend', 'policy delete shop/frontend earlier --reason "frontend covers it"'],
    flags: ['steps', 'soak', 'accept', 'reason'],
    gate: 'required',
    changes: 'policy',
    read: readDelete,
  },
  {
    name: 'policy explain',
    grammar: 'policy explain [namespace/]from -> [namespace/]to:port[/protocol] | <flow as JSON>',
    summary: 'Say which rule decides a connection, and why.',
    help: [
      'Both directions, under the policies in force and, where there is a candidate for one of the ends, under that too.',
      'An end is a workload, `world`, `host`, `kube-apiserver`, another entity of Cilium, an address, or a name outside of the cluster. A flow is what `hubble observe -o jsonpb` prints.',
    ],
    examples: [
      'policy explain frontend/frontend -> backend/backend:8080',
      'policy explain frontend -> world:443',
      'policy explain frontend -> 10.0.0.10:53/udp',
    ],
    flags: [],
    gate: 'none',
  },
  {
    name: 'policy status',
    grammar: `policy status [${WORKLOAD}]`,
    summary: 'Which policies select a workload, and what runs on it.',
    help: ['Without a workload: every operation that runs.'],
    examples: ['policy status frontend', 'policy status'],
    flags: [],
    gate: 'none',
  },
  {
    name: 'policy bootstrap',
    grammar:
      'policy bootstrap [cluster/]namespace [--window 10m] [--steps 10,50,100] [--soak 2m] [--no-observe] [--accept key,…] [--reason "…"]',
    summary: 'Put a whole namespace under default deny, in steps.',
    help: [
      'DNS, the API server, health checks and ingress stay allowed.',
      'One staged operation, as with `policy enforce`: observed first, then pod by pod, rolled back at once when it drops what was allowed.',
    ],
    examples: ['policy bootstrap frontend', 'policy bootstrap shop --window 10m'],
    flags: ['window', 'steps', 'soak', 'no-observe', 'accept', 'reason'],
    gate: 'required',
    changes: 'policy',
  },
];
