// `policy check`: what the lint and the server say, each finding with its line and the right form.

import type { PolicyCommand } from '../../domain/commands/command.ts';
import { formatTarget } from '../../domain/target.ts';
import { code, said } from '../../domain/words/words.ts';
import type { ServerWord } from '../../reading/policy/server-word.ts';
import { type Answer, section } from '../answer.ts';
import type { BotDeps } from '../deps.ts';
import { refusalOf } from '../refusals.ts';
import { askedFor, clusterSilent, lintApart } from './candidate.ts';
import { findingLines } from './findings.ts';
import type { PolicyAsked } from './parts.ts';
import { noteAsked } from './refuse.ts';

const SERVER_MS = 1_500;

export async function check(
  deps: BotDeps,
  asked: PolicyAsked,
  command: Extract<PolicyCommand, { readonly workload: unknown; readonly options: unknown }>,
): Promise<Answer> {
  const found = await askedFor(deps, asked, command);
  if ('refusal' in found) return found.refusal;
  const { target, candidate, note } = found;
  noteAsked(deps, asked, target, { sha256: candidate.sha256, source: candidate.source });
  const { findings } = await lintApart(deps, candidate.text);
  const server = await serverLine(deps, asked, target.cluster, candidate);
  const errors = findings.filter(({ severity }) => severity === 'error').length;
  const verdict =
    findings.length === 0
      ? '✓ the lint has nothing to say'
      : `${errors > 0 ? '✗' : '!'} ${findings.length} finding(s), ${errors} of them errors`;
  const head = `*Check* of ${said(candidate.source)} (${code(candidate.sha256.slice(0, 12))}) for ${code(formatTarget(target))}: ${verdict}.`;
  const lines = [head, ...(note === undefined ? [] : [said(note, 500)]), server, ...findingLines(findings)];
  return { text: lines.join('\n').slice(0, 3_500), blocks: lines.slice(0, 45).map(section) };
}

async function serverLine(
  deps: BotDeps,
  asked: PolicyAsked,
  cluster: string,
  candidate: Parameters<BotDeps['policy']['askServer']>[1],
): Promise<string> {
  let word: ServerWord;
  try {
    word = await deps.policy.askServer(cluster, candidate, asked.actor.kubernetes, AbortSignal.timeout(SERVER_MS));
  } catch (error) {
    return said(refusalOf(clusterSilent(cluster, error)).words, 600);
  }
  switch (word.kind) {
    case 'takes':
      return '✓ The server would take it (strict dry run as you; nothing was stored).';
    case 'refuses':
      return `✗ The server would refuse it: ${said(word.words, 900)}`;
    case 'forbidden':
      return `? The server was not asked, since you may not write it: ${said(word.words, 500)}`;
    default:
      return word satisfies never;
  }
}
