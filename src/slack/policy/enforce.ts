// `policy enforce`, `observe`, `relax` and `bootstrap`: from what was typed to an operation.

import type { ChangeOptions, PolicyCommand } from '../../domain/commands/command.ts';
import { bootstrapName, type EnforceChange, type PolicyChange } from '../../domain/policy/change.ts';
import type { Target } from '../../domain/target.ts';
import { code, said } from '../../domain/words/words.ts';
import type { WrittenCandidate } from '../../reading/policy/sources/read-candidate.ts';
import { type Answer, say, sayPlain, section } from '../answer.ts';
import { askForChange } from '../change.ts';
import type { BotDeps } from '../deps.ts';
import { refusalOf } from '../refusals.ts';
import { rollback } from '../rollback.ts';
import { isRefused } from '../rules.ts';
import { askedFor, lintApart } from './candidate.ts';
import { findingLines } from './findings.ts';
import type { Later, PolicyAsked } from './parts.ts';
import { refused } from './refuse.ts';
import { foundLately } from './run-dry.ts';

type Changing = Extract<PolicyCommand, { readonly options: ChangeOptions }>;

/** Brings a policy into force, or only observes it. Refused before anything starts where the lint knows that it would do something else. */
export async function enforce(
  deps: BotDeps,
  asked: PolicyAsked,
  command: Extract<Changing, { readonly workload: unknown }>,
  later: Later,
): Promise<Answer> {
  const found = await askedFor(deps, asked, command);
  if ('refusal' in found) return found.refusal;
  const { target, candidate, note } = found;
  const linted = await lintApart(deps, candidate.text);
  const wrong = linted.findings.filter(({ severity }) => severity === 'error');
  if (wrong.length > 0) return refuseWrong(deps, asked, target, candidate, wrong);
  const { text: _text, ...carried } = candidate;
  const seen = command.options.withoutDryRun ? undefined : foundLately(deps, target, candidate);
  const change: EnforceChange = {
    kind: command.kind === 'policy observe' ? 'observe' : 'enforce',
    candidate: carried,
    ...optionsOf(command.options),
    ...(seen && { dryRun: seen.words }),
    ...(seen && command.options.accept && { counted: countedOf(command.options.accept, seen.counts) }),
    ...(command.options.withoutDryRun && { withoutDryRun: true }),
    ...(command.options.replace && { replace: true }),
  };
  const answer = await start(deps, asked, target, command, change, later);
  const from = `Policy from ${said(candidate.source)}, sha256 ${code(candidate.sha256.slice(0, 12))}.${note ? ` ${said(note, 500)}` : ''}`;
  return { text: `${answer.text}\n${from}`, blocks: [...(answer.blocks ?? []), section(from)] };
}

/** The way back of the policy verb alone: what else has the same name is not meant. */
export async function relax(
  deps: BotDeps,
  asked: PolicyAsked,
  command: Extract<Changing, { readonly workload: unknown }>,
  later: Later,
): Promise<Answer> {
  const target = asked.rule.resolve(command.workload, command.kind);
  if (isRefused(target)) return refused(deps, asked, target);
  const { origin, actor, rule, text } = asked;
  const { reason } = command.options;
  return rollback(deps, { origin, actor, rule, target, text, ...(reason !== undefined && { reason }) }, later, 'policy');
}

export async function bootstrap(
  deps: BotDeps,
  asked: PolicyAsked,
  command: Extract<PolicyCommand, { kind: 'policy bootstrap' }>,
  later: Later,
): Promise<Answer> {
  const { namespace, cluster } = command;
  const text = { name: bootstrapName(namespace), namespace, ...(cluster === undefined ? {} : { cluster }) };
  const target = asked.rule.resolve(text, command.kind);
  if (isRefused(target)) return refused(deps, asked, target);
  return start(deps, asked, target, command, { kind: 'bootstrap', ...optionsOf(command.options) }, later);
}

function start(deps: BotDeps, asked: PolicyAsked, target: Target, command: Changing, change: PolicyChange, later: Later): Promise<Answer> {
  const { origin, actor, rule, text } = asked;
  return askForChange(deps, { origin, actor, rule, target, command: command.kind, change, options: command.options, text }, later);
}

function countedOf(accept: readonly string[], counts: Readonly<Record<string, number>>): Readonly<Record<string, number>> {
  return Object.fromEntries(accept.flatMap((key) => (counts[key] === undefined ? [] : [[key, counts[key]]])));
}

function optionsOf({ windowMs, steps, accept, observe }: ChangeOptions) {
  return {
    ...(windowMs === undefined ? {} : { windowMs }),
    ...(steps === undefined ? {} : { steps }),
    ...(accept === undefined ? {} : { accept }),
    ...(observe === undefined ? {} : { observe }),
  };
}

function refuseWrong(
  deps: BotDeps,
  asked: PolicyAsked,
  target: Target,
  { source }: WrittenCandidate,
  wrong: Parameters<typeof findingLines>[0],
): Answer {
  const words = 'it would do something else than it says.';
  const plain = refusalOf({ code: 'BadCandidate', parameters: { source, words } });
  refused(deps, asked, plain, target);
  const head = sayPlain(plain.words);
  const lines = findingLines(wrong);
  return { text: [head.text, ...lines].join('\n'), blocks: [...(say(head.text).blocks ?? []), ...lines.slice(0, 20).map(section)] };
}
