import type { Unclear } from '../../src/domain/canary/planned.ts';
import type { PlanResult } from '../../src/domain/lifecycle/contract.ts';

/** The candidates, for buttons, and as commands that say which is meant. */
export function unclearPlan({ code, words, candidates }: Unclear, commandOf: (name: string) => string): PlanResult {
  if (candidates.length === 0) return { kind: 'impossible', code, words };
  const commands = candidates.map((name) => `\`${commandOf(name)}\``);
  return { kind: 'impossible', code, words: `${words} For example: ${commands.join(' or ')}.`, candidates };
}
