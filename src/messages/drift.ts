// Who changed what: the words for drift.

import { type GitOpsTool, healerOf, toolOf } from '../domain/gitops/tool.ts';
import type { OperationView } from '../domain/lifecycle/operation.ts';
import { TOKEN_ANNOTATION } from '../domain/lifecycle/plan.ts';
import { code, said } from '../domain/words/words.ts';

type Differences = NonNullable<OperationView['drift']>;

/** One line for each difference: where, what was expected, what was found, by whose hand. */
export function driftLines(differences: Differences): readonly string[] {
  return differences.map(({ object, field, expected, found, manager }) => {
    const tool = toolOf(manager);
    const who = manager === undefined ? 'by someone unknown' : `by ${code(manager)}${tool ? ` (${tool})` : ''}`;
    return `•  ${said(object, 140)} ${code(field)}: expected ${code(expected, 60)}, found ${code(found, 60)}, ${who}`;
  });
}

/** The GitOps tool that has written Git's values back, where nobody else has changed anything; who took the token does not matter. */
export function selfHealOf(differences: Differences | undefined): GitOpsTool | undefined {
  const values = (differences ?? []).filter(({ field }) => !field.endsWith(TOKEN_ANNOTATION.replaceAll('/', '~1')));
  return values.length === 0 ? undefined : healerOf(values);
}

/** What people must know before they choose: a value that a tool writes back is written for nothing. */
export function selfHealWords(tool: GitOpsTool): string {
  return `${tool} wrote Git's values back. Ours last only if it leaves these fields alone: do that first (the file in the thread says how), or leave it and change Git.`;
}
