import type { JsonObject } from '../json.ts';
import type { Change } from '../lifecycle/change.ts';
import type { FlowProtocol } from '../policy/flow.ts';
import type { TargetText } from '../target.ts';

/** What a person may type, parsed. `parseCommand` (command/parse.ts) is total: any text gives a Command or a Misunderstanding. */
export type Command =
  | { readonly kind: 'canary'; readonly service: TargetText; readonly percent: number; readonly options: ChangeOptions }
  | { readonly kind: 'promote'; readonly service: TargetText; readonly options: ChangeOptions }
  | { readonly kind: 'rollback'; readonly service: TargetText; readonly options: ChangeOptions }
  /** An operation id, or the service it runs on. */
  | { readonly kind: 'abort'; readonly operation: string; readonly reason?: string }
  | { readonly kind: 'status'; readonly service?: TargetText }
  | { readonly kind: 'help'; readonly topic?: string }
  | PolicyCommand
  | EncryptionCommand
  | GuardingCommand
  /** A command that its verb's record reads. */
  | {
      readonly kind: 'change';
      readonly command: CommandName;
      readonly target: TargetText;
      readonly change: Change;
      readonly options: ChangeOptions;
    };

/** Header A/B, history, freezes, giving up an undo. */
type GuardingCommand =
  /** Without a header: off. */
  | {
      readonly kind: 'ab';
      readonly service: TargetText;
      readonly header?: { readonly name: string; readonly value: string };
      readonly options: ChangeOptions;
    }
  | { readonly kind: 'history'; readonly service?: TargetText; readonly filter?: HistoryFilter }
  | { readonly kind: 'doctor' }
  /** Without `set`: which freezes there are. */
  | { readonly kind: 'freeze'; readonly set?: { readonly scope: string; readonly durationMs: number; readonly reason: string } }
  | { readonly kind: 'unfreeze'; readonly scope: string }
  | { readonly kind: 'release'; readonly operation: string; readonly reason?: string }
  /** Somebody else has looked at what was done without approval. */
  | { readonly kind: 'review'; readonly operation: string; readonly words?: string };

/** Which operations a history shows. `who`: an e-mail address, or what stands before its @. */
export type HistoryFilter = Pick<ChangeOptions, 'sinceMs' | 'who' | 'ofVerb' | 'outcome'>;

/** What `/policy` and `/mesh policy` take. */
export type PolicyCommand =
  | { readonly kind: WorkloadCommandName; readonly workload: TargetText; readonly options: ChangeOptions }
  | { readonly kind: 'policy explain'; readonly question: FlowQuestion }
  | { readonly kind: 'policy status'; readonly workload?: TargetText }
  | { readonly kind: 'policy bootstrap'; readonly namespace: string; readonly cluster?: string; readonly options: ChangeOptions };

/** What `/encryption` and `/mesh encryption` take. Without a cluster: the channel's. */
export type EncryptionCommand = { readonly kind: 'encryption status' | 'encryption advise'; readonly cluster?: string };

/** Commands on the policy of one workload. */
export type WorkloadCommandName = 'policy enforce' | 'policy check' | 'policy dryrun' | 'policy learn' | 'policy observe' | 'policy relax';

/** Options of a command that changes something. Durations in milliseconds, shares 0..1, steps in percent. */
export interface ChangeOptions {
  readonly steps?: readonly number[];
  readonly soakMs?: number;
  readonly objective?: number;
  /** `--slo relative`: held to what the control does in the same time, not to the objective. `excused`: to whichever of the two fails more. */
  readonly slo?: 'relative' | 'excused';
  /** Failures above objective x requests that end the operation, whatever chance says. */
  readonly budget?: number;
  readonly latencyMs?: number;
  /** Requests of our own per second while a stage is watched, where real ones are few. */
  readonly probesPerSecond?: number;
  readonly reason?: string;
  /** `--emergency`: why it begins without the approvals of its gates. */
  readonly emergency?: string;
  /** `--include-other-namespaces`: routes of other namespaces that name the Service move too. */
  readonly includeOthers?: true;
  /** How long a policy is observed, or how far back its dry-run looks. */
  readonly windowMs?: number;
  /** `--no-observe`: enforced without the shadow before it. */
  readonly observe?: false;
  /** Keys of drops that are meant (`Doubt.key`). */
  readonly accept?: readonly string[];
  /** `--replace`: a policy of this name that also protects other pods may be replaced. */
  readonly replace?: true;
  /** `--no-dryrun`: planned without a dry-run. */
  readonly withoutDryRun?: true;
  /** Of `history` alone: which operations. */
  readonly sinceMs?: number;
  readonly who?: string;
  readonly ofVerb?: string;
  readonly outcome?: string;
}

/** A text that is no command: one friendly sentence, and the nearest thing that would be one. */
export interface Misunderstanding {
  readonly kind: 'misunderstood';
  readonly words: string;
  readonly didYouMean?: string;
  /** What there is instead of something that is only planned: texts that may stand behind `/mesh`. */
  readonly instead?: readonly string[];
  /** What is missing can be asked for in a form of this command; what was given is in it already. */
  readonly form?: { readonly command: CommandName; readonly target?: TargetText };
}

/** What `policy explain` is asked: two ends and a port, or one flow as Hubble prints it. */
export type FlowQuestion =
  | {
      readonly kind: 'pair';
      readonly source: FlowEnd;
      readonly destination: FlowEnd;
      readonly port: number;
      readonly protocol: FlowProtocol;
    }
  | { readonly kind: 'flow'; readonly flow: JsonObject };

/** One end of a pair. */
export type FlowEnd =
  | { readonly kind: 'workload'; readonly namespace?: string; readonly name: string }
  | { readonly kind: 'entity'; readonly entity: QuestionEntity }
  | { readonly kind: 'address'; readonly address: string }
  /** A name outside of the cluster. */
  | { readonly kind: 'name'; readonly name: string };

/** Entities that are one identity: what a connection can really come from or go to. */
export const QUESTION_ENTITIES = ['world', 'host', 'remote-node', 'kube-apiserver', 'ingress', 'health'] as const;

type QuestionEntity = (typeof QUESTION_ENTITIES)[number];

/** The first word of a command, or the first two where the first names an area. */
export type CommandName = string;

/** A flag of a command; what it takes stands in command/flags.ts. */
export type FlagName =
  | 'steps'
  | 'soak'
  | 'slo'
  | 'latency'
  | 'budget'
  | 'probe'
  | 'reason'
  | 'emergency'
  | 'include-other-namespaces'
  | 'window'
  | 'no-observe'
  | 'accept'
  | 'replace'
  | 'no-dryrun'
  | 'since'
  | 'who'
  | 'verb'
  | 'outcome';
