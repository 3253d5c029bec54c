// What every form shares: who fills it in, what it offers, what was entered.
import type { ModalView, PlainTextOption } from '@slack/types';
import type { CommandName } from '../../domain/commands/command.ts';
import { formatTargetText } from '../../domain/commands/target-text.ts';
import type { Actor } from '../../domain/lifecycle/actor.ts';
import { formatTarget, type Target } from '../../domain/target.ts';
import { withoutUnseen } from '../../domain/words/mrkdwn.ts';
import type { BotDeps } from '../deps.ts';
import type { SHOWN } from '../reading.ts';
import { mayRead } from '../rights.ts';
import { type ChannelRule, isRefused, type Place } from '../rules.ts';

/** Whoever has a form open. */
export interface Filler {
  readonly actor: Actor;
  readonly rule: ChannelRule;
}

/** What a form carries from its opening to its submission. */
export interface FormMemory {
  /** Where the command is given. Left out: the form asks. */
  readonly channelId?: string;
}

export type Values = Readonly<Record<string, Readonly<Record<string, Entered>>>>;
interface Entered {
  readonly value?: string | null | undefined;
  readonly selected_option?: { readonly value?: string | undefined } | null | undefined;
  readonly selected_options?: readonly { readonly value?: string | undefined }[] | null | undefined;
  readonly selected_conversation?: string | null | undefined;
}

/** One command as a form. */
export interface Form {
  readonly command: CommandName;
  readonly callback: string;
  /** The form as it opens, or again when something was chosen. */
  view(deps: BotDeps, filler: Filler, shown: Shown): Promise<ModalView>;
  /** What the field offers for what was typed. */
  options(deps: BotDeps, filler: Filler, typed: string): Promise<readonly PlainTextOption[]>;
  /** What stands behind the slash name, or what is wrong, by field. */
  read(filler: Filler, values: Values): { readonly text: string } | { readonly errors: Readonly<Record<string, string>> };
}

export interface Shown {
  readonly memory: FormMemory;
  readonly target?: Target;
  readonly values?: Values;
}

export function textOf(values: Values | undefined, name: string): string | undefined {
  return withoutUnseen(one(values, name)?.value ?? '').trim() || undefined;
}

export function chosenOf(values: Values | undefined, name: string): string | undefined {
  return one(values, name)?.selected_option?.value;
}

export function allChosenOf(values: Values | undefined, name: string): readonly string[] {
  return one(values, name)?.selected_options?.flatMap(({ value }) => value ?? []) ?? [];
}

export function channelIn(values: Values | undefined): string | undefined {
  return one(values, 'channel')?.selected_conversation ?? undefined;
}

function one(values: Values | undefined, name: string): Entered | undefined {
  return Object.values(values?.[name] ?? {})[0];
}

/** A target as it is chosen: `cluster/namespace/name`. */
export function targetIn(value: string | undefined): Target | undefined {
  const [cluster, namespace, name, ...more] = value?.split('/') ?? [];
  return cluster && namespace && name && more.length === 0 ? { cluster, namespace, name } : undefined;
}

/** As short as this channel understands it. */
export function typedTarget({ rule }: Filler, target: Target, command: CommandName): string {
  const { cluster, namespace, name } = target;
  const texts = [{ name }, { namespace, name }, { cluster, namespace, name }];
  const short = texts.find((text) => {
    const resolved = rule.resolve(text, command);
    return !isRefused(resolved) && formatTarget(resolved) === formatTarget(target);
  });
  return formatTargetText(short ?? target);
}

/** A reason in quotes that nothing in it can close. */
export function reasonFlag(values: Values): string {
  const reason = textOf(values, 'reason')
    ?.replaceAll(/\s+/g, ' ')
    .replaceAll(/["“”„‟«»]/g, "'");
  return reason === undefined ? '' : ` --reason "${reason}"`;
}

/** Slack shows at most so many, and nobody is asked about more namespaces than this for one look. */
const MOST_OPTIONS = 100;
const MOST_NAMESPACES = 20;

/** Those that fit what was typed, in namespaces that this person may read. */
export async function offered<T extends { readonly namespace: string; readonly name: string }>(
  deps: BotDeps,
  filler: Filler,
  { cluster }: Place,
  what: keyof typeof SHOWN,
  all: readonly T[],
  typed: string,
): Promise<readonly T[]> {
  const wanted = typed.trim().toLowerCase();
  const fitting = all.filter(({ namespace, name }) => `${cluster}/${namespace}/${name}`.includes(wanted));
  const namespaces = [...new Set(fitting.map(({ namespace }) => namespace))].slice(0, MOST_NAMESPACES);
  const allowed = await Promise.all(namespaces.map((namespace) => mayRead(deps, filler.actor, { cluster, namespace }, what)));
  const readable = namespaces.filter((_, at) => allowed[at]);
  return fitting.filter(({ namespace }) => readable.includes(namespace)).slice(0, MOST_OPTIONS);
}
