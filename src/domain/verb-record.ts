import type { CommandName } from './commands/command.ts';
import type { CommandSpec } from './commands/spec.ts';
import type { Change } from './lifecycle/change.ts';
import type { PlannedStage } from './lifecycle/plan.ts';
import type { Target } from './target.ts';
import type { Refusal } from './words/sentences.ts';

/** What the two sides of an operation of a verb are called, and what is counted on them. */
export interface SideWords {
  /** Names: `canary`, `stable`. */
  readonly changed: string;
  readonly rest: string;
  /** Behind a count: `to the canary`, `to stable`. */
  readonly ofChanged: string;
  readonly ofRest: string;
  /** One of what is counted, and what is said of one that ended badly: `request`, `failed`. */
  readonly unit: string;
  readonly bad: string;
  /** What the share that the changed side gets is called, where it can be measured beside what was set. */
  readonly share?: string;
}

/** What the chart of a verb calls what it draws. */
export interface ChartWords {
  readonly share: string;
  readonly axis: string;
  readonly rate: string;
  readonly bad: string;
}

/** A new operation that a button under a finished one asks for. */
interface Onwards {
  readonly command: CommandName;
  readonly change: (opId: string) => Change;
  /** What is typed behind the command for a target of this name. */
  readonly behind: (name: string) => string;
  /** Of the title `{}` is the target's name. */
  readonly button: {
    readonly label: string;
    readonly style?: 'danger';
    readonly confirm: { readonly title: string; readonly text: string; readonly yes: string };
  };
}

/** Everything that code shared by all verbs must know of one: nothing else there names a verb. */
export interface VerbRecord {
  /** What people type. A command without a `read` of its own is read where those of all verbs are (commands/parse.ts). */
  readonly commands: readonly CommandSpec[];
  /** What a target is. `cluster`: nothing else runs in the cluster meanwhile, and it does not begin while something does. */
  readonly scope: 'service' | 'workload' | 'cluster';
  /** Does the change only take something back, beside `back`, which always does? */
  readonly isWayBack: (change: Change) => boolean;
  /** May an operation that runs for `running`, with this stage in force, take the change as its next step? */
  readonly mayContinue: (change: Change, exposed: PlannedStage, running: Change) => boolean;
  /** The command whose rules hold for an operation where no other command is known. */
  readonly command: CommandName;
  /** The command that takes back what an operation has done. */
  readonly wayBack: CommandName;
  /** What is typed for it after a completed change, where that is not `/mesh rollback` with the target's name. */
  readonly typedBack?: (change: Change) => string;
  /** What the buttons under a finished operation ask for, beside the way back. */
  readonly onwards: Readonly<Partial<Record<'promote' | 'zero', Onwards>>>;
  /** The refusal of a way back where there is nothing to go back from. */
  readonly nothingBack: (target: Target) => Refusal;
  /** A stage that exposes nobody leaves nothing to watch: it only looked, or took everything away. */
  readonly restsAtZero: boolean;
  /** What was found instead of a stage's own values can stand as that stage, and the later ones go on from it. */
  readonly adoptsInPlace: boolean;
  /** A verdict's words hold both sides' counts. */
  readonly countsInVerdict: boolean;
  readonly words: {
    readonly sides: SideWords;
    readonly chart: ChartWords;
    /** The plan's first sentence is what approvers must know before anything else. */
    readonly leads?: true;
    /** What is in place while it is watched for the last time; absent: its step says it. `exposure` 0..1. */
    readonly inPlace?: (exposure: number) => string;
    /** What adopting a foreign change means for what comes then. */
    readonly adopting: string;
    /** Where harm goes on after everything was put back: what that means with a share that was there before, and without. */
    readonly goesOn: { readonly withShare: string; readonly without: string };
    /** What alone goes back when an operation is left as it was found. */
    readonly own: string;
  };
}
