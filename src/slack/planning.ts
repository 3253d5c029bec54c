// From the start of an operation to its plan: what is refused in between is said to the person alone.
import { setTimeout as sleep } from 'node:timers/promises';
import { parseCommand } from '../domain/commands/parse.ts';
import type { OperationView } from '../domain/lifecycle/operation.ts';
import { escapeMrkdwn } from '../domain/words/mrkdwn.ts';
import { code } from '../domain/words/words.ts';
import { buttonRow } from '../messages/buttons.ts';
import type { OperationAt } from '../temporal/results.ts';
import { type Answer, say } from './answer.ts';
import type { BotDeps } from './deps.ts';

/** The channel sees nothing of an operation that is refused within this time of its command. Milliseconds. */
export const PRIVATE_MS = 2_000;
const FIRST_PAUSE_MS = 60;
const LONGEST_PAUSE_MS = 300;

export type Planned =
  /** There is a plan, a message in the channel, or nothing that this process can see. */
  | { readonly kind: 'shown' }
  /** Refused, and nobody but the person who asked needs to know. */
  | { readonly kind: 'refused'; readonly view: OperationView; readonly code: string };

/** Looks until the plan is known, at most until `until` (epoch ms); undefined when it is not known then. */
export async function awaitPlan(deps: Pick<BotDeps, 'operations' | 'now'>, at: OperationAt, until: number): Promise<Planned | undefined> {
  for (let pause = FIRST_PAUSE_MS; deps.now() < until; pause = Math.min(LONGEST_PAUSE_MS, pause * 1.5)) {
    await sleep(pause);
    const described = await deps.operations.describe(at);
    if (described.kind === 'gone') return { kind: 'shown' };
    const planned = described.kind === 'view' ? meaningOf(described.view) : undefined;
    if (planned) return planned;
  }
  return undefined;
}

function meaningOf(view: OperationView): Planned | undefined {
  const { phase, stages, message, outcome } = view;
  if (message || stages.length > 0) return { kind: 'shown' };
  if (phase === 'planning') return undefined;
  const isRefused = outcome?.kind === 'impossible' || outcome?.kind === 'failed';
  return isRefused ? { kind: 'refused', view, code: outcome.code } : { kind: 'shown' };
}

/** The reason, and for each Service that may have been meant the whole command, to press and to paste. */
export function refusedAnswer(view: OperationView): Answer {
  const { outcome, target, text } = view;
  const { words = '', candidates = [], code: reason = '' } = outcome ?? {};
  // Where a name is unclear the sentence has the commands already.
  const named = reason === 'NoRoute' ? candidates.map((name) => code(withName(text, target.name, name))) : [];
  const commands = [...named, ...withFlags(text, words).map((command) => code(command))];
  const buttons = candidates.length > 0 ? buttonRow(view) : undefined;
  return say(`${escapeMrkdwn(words)}${commands.length > 0 ? `\nRun: ${commands.join(' or ')}` : ''}`, ...(buttons ? [buttons] : []));
}

/** The command with what the sentence says to add, where that is a command. */
function withFlags(text: string, words: string): readonly string[] {
  const [slash = '', ...rest] = text.split(' ');
  const root = slash.includes('policy') ? 'policy' : slash.includes('encryption') ? 'encryption' : 'mesh';
  return [...words.matchAll(/`(--[^`]+)`/g)].flatMap(([, flag = '']) => {
    const command = [...rest, flag].join(' ');
    return text.includes(flag) || parseCommand(command, { root }).kind === 'misunderstood' ? [] : [`${slash} ${command}`];
  });
}

/** The command with its first word that is the name replaced. */
function withName(text: string, typed: string, name: string): string {
  const words = text.split(' ');
  const at = words.findIndex((word) => word.toLowerCase().split('/').at(-1) === typed);
  const word = words[at];
  return word === undefined ? text : words.with(at, [...word.split('/').slice(0, -1), name].join('/')).join(' ');
}
