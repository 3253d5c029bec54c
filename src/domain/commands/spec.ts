import type { Change, VerbName } from '../lifecycle/change.ts';
import type { ChangeOptions, CommandName, FlagName } from './command.ts';

/** One name: what it takes, what it means, whether people must agree before it acts. */
export interface CommandSpec {
  readonly name: CommandName;
  /** The line that stands behind the command, e.g. `/mesh`. */
  readonly grammar: string;
  /** One line for the list of all verbs. */
  readonly summary: string;
  readonly help: readonly string[];
  readonly examples: readonly string[];
  readonly flags: readonly FlagName[];
  /** Gate default where the configuration names none: a change waits for an approval, a way back never does. */
  readonly gate: 'required' | 'none';
  /** How many must agree at least where no gate names this command. Absent: as many as the gate says. */
  readonly quorum?: number;
  /** Whose gate a way back takes where it needs one after all: it comes late, or it raises somebody's share. */
  readonly gatedAs?: CommandName;
  /** What the button says that opens its form; absent where it has none. */
  readonly form?: string;
  /** The lifecycle that the command starts or continues; absent where it only reads or stops. */
  readonly changes?: VerbName;
  /** What it asks for, from the plain words behind it and the flags; a text says what is wrong with them. Absent: read in parse.ts. */
  readonly read?: (plain: readonly string[], options: ChangeOptions) => ReadChange | string;
}

/** `target`: as it was typed; of a verb that holds a cluster, the cluster's name or nothing. */
export interface ReadChange {
  readonly target: string;
  readonly change: Change;
}

/** The grammar without its options: `canary <name> <percent>%`. */
export function usageOf({ grammar }: CommandSpec): string {
  return grammar.replaceAll(/ \[--(?:[^[\]]|\[[^\]]*\])*\]/g, '').replaceAll('[cluster/][namespace/]name', '<name>');
}
