// Which workload a bare name means: the channel's namespace comes first, else the only one of its scope that has it.

import type { PolicyCommand } from '../../domain/commands/command.ts';
import { formatTargetText } from '../../domain/commands/target-text.ts';
import type { TargetText } from '../../domain/target.ts';
import { code, plural, said } from '../../domain/words/words.ts';
import { commandRow } from '../../messages/command-button.ts';
import { type Answer, say } from '../answer.ts';
import type { BotDeps } from '../deps.ts';
import { isRefused } from '../rules.ts';
import type { PolicyAsked } from './parts.ts';

/** A command is answered within 3 s, and its start takes half of that. */
const LOOK_MS = 1_000;
const MOST_BUTTONS = 5;

export type Placed =
  /** `words`: why this one, where the person did not say it. */
  | { readonly kind: 'placed'; readonly workload: TargetText; readonly words?: string }
  /** Several could be meant. */
  | { readonly kind: 'asks'; readonly answer: Answer };

/** Where the cluster does not say in time, the channel's namespace is meant, and what follows says what is missing there. */
export async function placeOf(deps: BotDeps, asked: PolicyAsked, workload: TargetText, kind: PolicyCommand['kind']): Promise<Placed> {
  const usual = { kind: 'placed', workload } as const;
  if (workload.namespace !== undefined) return usual;
  const here = asked.rule.resolve(workload, kind);
  // Without a namespace of its own the channel has a cluster all the same.
  const anywhere = isRefused(here) && here.code === 'NoNamespace' ? asked.rule.resolve({ ...workload, namespace: 'default' }, kind) : here;
  if (isRefused(anywhere)) return usual;
  const { cluster, name } = anywhere;
  const own = isRefused(here) ? undefined : here.namespace;
  const found = await deps.policy
    .namespacesOf({ cluster, name, first: own }, AbortSignal.timeout(LOOK_MS))
    .catch((): readonly string[] => []);
  if (own !== undefined && found.includes(own)) return usual;
  const meant = found.filter((namespace) => !isRefused(asked.rule.resolve({ ...workload, namespace }, kind)));
  const [only, ...others] = meant;
  if (only === undefined) return usual;
  if (others.length > 0) return { kind: 'asks', answer: asks(asked, workload, meant) };
  return {
    kind: 'placed',
    workload: { ...workload, namespace: only },
    words: `Namespace ${code(only)}, the only one that has ${said(name)}.`,
  };
}

function asks({ text }: PolicyAsked, workload: TargetText, namespaces: readonly string[]): Answer {
  const commands = namespaces.slice(0, MOST_BUTTONS).map((namespace) => commandIn(text, workload, namespace));
  const head = `*${said(workload.name)}* is in ${plural(namespaces.length, 'namespace')}. Nothing was changed. Which one?`;
  const names = namespaces.map((namespace) => `${namespace}/${workload.name}`);
  const row = commandRow(commands.map((command, index) => ({ label: names[index] ?? '', command, spoken: `Run it for ${names[index]}` })));
  return say([head, ...commands.map((command) => `• ${code(command)}`)].join('\n'), ...(row ? [row] : []));
}

/** The command as it was typed, with the namespace before the name. */
function commandIn(text: string, workload: TargetText, namespace: string): string {
  const words = text.split(' ');
  const at = words.findIndex((word) => word.toLowerCase() === formatTargetText(workload));
  return at === -1 ? text : words.with(at, formatTargetText({ ...workload, namespace })).join(' ');
}
