import type { FlowQuestion } from './command/question.ts';
import type { TargetText } from './target.ts';

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
  | GuardingCommand;

/** Header A/B, history, freezes, giving up an undo. */
export type GuardingCommand =
  /** Without a header: off. */
  | {
      readonly kind: 'ab';
      readonly service: TargetText;
      readonly header?: { readonly name: string; readonly value: string };
      readonly options: ChangeOptions;
    }
  | { readonly kind: 'history'; readonly service?: TargetText }
  | { readonly kind: 'doctor' }
  /** Without `set`: which freezes there are. */
  | { readonly kind: 'freeze'; readonly set?: { readonly scope: string; readonly durationMs: number; readonly reason: string } }
  | { readonly kind: 'unfreeze'; readonly scope: string }
  | { readonly kind: 'release'; readonly operation: string; readonly reason?: string };

/** What `/policy` and `/mesh policy` take. */
export type PolicyCommand =
  | { readonly kind: WorkloadCommandName; readonly workload: TargetText; readonly options: ChangeOptions }
  | { readonly kind: 'policy explain'; readonly question: FlowQuestion }
  | { readonly kind: 'policy status'; readonly workload?: TargetText }
  | { readonly kind: 'policy bootstrap'; readonly namespace: string; readonly cluster?: string; readonly options: ChangeOptions };

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
}

/** A text that is no command: one friendly sentence, and the nearest thing that would be one. */
export interface Misunderstanding {
  readonly kind: 'misunderstood';
  readonly words: string;
  readonly didYouMean?: string;
}
