import * as z from 'zod';
import { VERBS } from '../commands/verbs.ts';
import { Cluster, Tls } from './cluster-schema.ts';
import { FreezeRule } from './freeze-rule.ts';
import { HandoverRule } from './handover.ts';
import { Address, Duration, Email, FilePath, HttpUrl, Label, Percent } from './values.ts';
import { GitOps, Ladders, Objectives, Timings, TunnelWindow } from './watch-schema.ts';

/** The shape of meshops.yaml. Everything is named; unknown keys are refused, so that a misspelt key is never silently a default. */

const VerbWord = z.enum(VERBS.map(({ name }) => name) as [string, ...string[]], {
  error: `This is no verb: there are ${VERBS.map(({ name }) => name).join(', ')}.`,
});

const Channel = z.strictObject({
  /** `*`: every channel that is not named. */
  id: z.string().regex(/^(\*|[CG][A-Z0-9]{2,})$/, 'This is not a channel: write its id, such as C0MESH, or * for all others.'),
  /** What may be run here; left out: everything. `help` always may. */
  verbs: z.array(VerbWord).optional(),
  /** Clusters and namespaces that may be named here: `demo`, `demo/backend`. Left out: all. */
  scope: z
    .array(z.string().regex(/^[a-z0-9-]+(\/[a-z0-9-]+)?$/, 'Write a cluster, or cluster/namespace.'))
    .min(1)
    .optional(),
  /** What a bare name means here. */
  cluster: Label.optional(),
  namespace: Label.optional(),
});

const NOT_SYSTEM = 'Names that begin with `system:` belong to Kubernetes itself; nobody is made one of them through Slack.';
const Group = z
  .string()
  .min(1)
  // A blank at an end is lost on the way to the API server: what is refused with it must be refused without it.
  .refine((name) => /^[^\s,]([^\t\r\n,]*[^\s,])?$/.test(name), 'Write it without blanks at its ends, without commas and on one line.')
  .refine((name) => !name.trim().startsWith('system:'), NOT_SYSTEM);
const User = Group;

const Identity = z.strictObject({
  /** `*@example.com`: everybody of that domain. */
  email: Email,
  /** `{email}` stands for the address. The default is a name of meshops' own: no other right than what is bound to it is ever borrowed. */
  user: User.default('meshops:{email}'),
  groups: z.array(Group).default([]),
});

const Usergroup = z.string().regex(/^S[A-Z0-9]+$/, 'This is not a usergroup: write its id, such as S0REVIEWERS.');

const Membership = z.strictObject({
  usergroup: Usergroup,
  user: User.default('meshops:{email}'),
  groups: z.array(Group).min(1, 'Name the groups that its members have.'),
});

const Gate = z
  .strictObject({
    /** Left out: every verb that needs a gate. */
    verbs: z.array(VerbWord).optional(),
    clusters: z.array(Label).optional(),
    namespaces: z.array(Label).optional(),
    /** Stands before the first stage above this exposure; 0 = before anything happens. */
    above: Percent.default(0),
    approvers: z.strictObject({
      usergroups: z.array(Usergroup).default([]),
      emails: z.array(Email).default([]),
    }),
    quorum: z.int().min(1, 'At least one person must approve.').max(20).default(1),
    expiry: Duration.default(15 * 60_000),
    /** A rollback needs no approval for so long after what it takes back has completed. */
    rollbackWithin: Duration.default(24 * 3_600_000),
    /** It stands for itself beside a stricter one, and whoever has agreed to another rule of the stage does not count here: one approval from each. */
    required: z.boolean().optional(),
    /** Of a required rule: who has agreed to another one counts here as well. */
    samePerson: z.boolean().optional(),
    /** Who may answer is reminded after this share of the time; 0%: never. Left out: at half of it, where it is 4 minutes or more. */
    remind: Percent.optional(),
    /** Usergroup that is called when nobody has answered: at half of what the reminder leaves. */
    escalate: Usergroup.optional(),
    /** A direct message to each who may answer, instead of a mention in the thread. */
    dm: z.boolean().optional(),
  })
  .refine(
    ({ approvers }) => approvers.usergroups.length + approvers.emails.length > 0,
    'Nobody could ever approve: name usergroups or emails.',
  )
  .refine(({ approvers, quorum }) => approvers.usergroups.length > 0 || new Set(approvers.emails).size >= quorum, {
    error: 'The quorum is larger than the number of approvers, so this gate could never open.',
  });

const Named = z
  .strictObject({ usergroups: z.array(Usergroup).default([]), emails: z.array(Email).default([]) })
  .refine(({ usergroups, emails }) => usergroups.length + emails.length > 0, 'This names nobody: name usergroups or emails.');

const Emergency = z.strictObject({
  /** Who may begin a change with `--emergency "reason"`. */
  who: Named,
  /** Approvals that each gate still needs then, at most; 0: none. */
  quorum: z.int().min(0).max(20).default(0),
  /** Who signs afterwards: two of them who have not asked for it. */
  reviewers: Named,
  /** By when two have signed. */
  reviewWithin: Duration.default(72 * 3_600_000),
  /** A freeze stops it as well, unless this says otherwise. */
  passesFreezes: z.boolean().default(false),
});

export const Config = z.strictObject({
  clusters: z.record(Label, Cluster).refine((clusters) => Object.keys(clusters).length > 0, 'At least one cluster is needed.'),
  channels: z.array(Channel).min(1, 'At least one channel is needed.'),
  identities: z.strictObject({
    rules: z.array(Identity).default([]),
    /** What members of a usergroup of Slack are besides: its groups are added, and its user stands where no rule names the person. */
    usergroups: z.array(Membership).max(20, 'More than 20 usergroups: Slack allows some 20 readings of groups a minute.').default([]),
    /** For people whom no rule names; left out: they cannot change anything. */
    default: z.strictObject({ user: User.default('{email}'), groups: z.array(Group).default([]) }).optional(),
  }),
  /** An empty list is a decision too: then nothing waits for an approval. */
  gates: z.array(Gate),
  /** Changes that begin without the approvals of their gates. Left out: there are none. */
  emergency: Emergency.optional(),
  ladders: Ladders.default({}),
  objectives: Objectives.default({}),
  /** Where Argo CD or Flux applies what an operation changes and would write it back: say so in the plan, or refuse. */
  gitops: GitOps.default('warn'),
  /** In tunnel mode encryption changes on all nodes at once or not at all: may `/encryption window` restart all agents together? */
  tunnelWindow: TunnelWindow.default('refused'),
  /** Where Git is told what an operation has left. The first rule that names the target counts. */
  handover: z.array(HandoverRule).default([]),
  /** Times that are known beforehand; `/mesh freeze` is for those that are not. */
  freezes: z.array(FreezeRule).max(200, 'More than 200 freezes: write windows that repeat once.').default([]),
  /** Bound on ever rolling back a healthy change, for one operation. */
  alpha: z.number().min(1e-9).max(0.5).default(0.001),
  timings: Timings.prefault({}),
  policy: z
    .strictObject({
      /** Where the policies come from that `policy enforce` brings into force. */
      sources: z
        .strictObject({
          /** Label of a ConfigMap that holds one; its value is the workload's name. */
          label: z
            .string()
            .regex(/^([a-z0-9.-]{1,253}\/)?[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/, 'This is not the key of a label, such as meshops.dev/policy.')
            .default('meshops.dev/policy'),
          /** A mounted folder with <namespace>/<workload>.yaml. */
          folder: FilePath.optional(),
        })
        .prefault({}),
      /** How far back a dry-run and `learn` look, where nobody says. */
      window: Duration.default(10 * 60_000),
    })
    .prefault({}),
  slack: z.strictObject({
    mode: z.enum(['socket', 'http'], 'Write socket or http.').default('socket'),
    teamIds: z
      .array(z.string().regex(/^[TE][A-Z0-9]+$/, 'This is not a workspace: write its id, such as T0MESHOPS.'))
      .min(1, 'Name the workspaces that may use meshops.'),
    appId: z
      .string()
      .regex(/^A[A-Z0-9]+$/, 'This is not an app: write its id, such as A0MESHOPS.')
      .optional(),
    /** Names of the slash commands; other apps may own /policy. */
    commands: z.strictObject({ mesh: SlashName('/mesh'), policy: SlashName('/policy'), encryption: SlashName('/encryption') }).prefault({}),
    /** Usergroup that is called when an undo keeps failing. */
    onCall: Usergroup.optional(),
    /** Requests and clicks that are taken from one person in a minute; aborts, rejections and rollbacks have as many again. */
    requestsPerMinute: z.int('Write a whole number.').min(5, 'At least 5.').max(100_000, 'At most 100,000.').default(30),
    /** Another Web API than Slack's own, for tests. */
    apiUrl: HttpUrl.optional(),
  }),
  temporal: z
    .strictObject({
      address: Address.default('127.0.0.1:7233'),
      namespace: z.string().min(1).default('default'),
      /** `{}`: TLS with the machine's own authorities. Left out: plain text, unless there is an API key. */
      tls: Tls.optional(),
      /** Payloads that are not encrypted are taken although there is a key, or there is none on purpose. */
      allowPlaintext: z.boolean().default(false),
    })
    .prefault({}),
  audit: z
    .strictObject({
      database: FilePath.default('meshops.db'),
      /** How long what the judges heard is kept for `meshops judge export`. */
      keepWatches: Duration.default(14 * 86_400_000),
    })
    .prefault({}),
  http: z
    .strictObject({
      /** Slack's requests, /healthz and /readyz. */
      port: z.int().min(0).max(65_535).default(8080),
      /** /metrics alone: an ingress that leads to the other port never shows it. */
      metricsPort: z.int().min(0).max(65_535).default(9464),
    })
    .refine(({ port, metricsPort }) => port !== metricsPort || port === 0, 'The metrics have a port of their own: write another one.')
    .prefault({}),
});

export type Config = z.output<typeof Config>;

function SlashName(usual: string) {
  return z
    .string()
    .regex(/^\/[a-z0-9_-]{1,31}$/, 'This is not a slash command: write it with its slash, such as /mesh.')
    .default(usual);
}
