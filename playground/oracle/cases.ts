import { readFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import { gunzip } from 'node:zlib';
import type { Decision, DirectionDecision } from '../../src/domain/policy/decision.ts';
import { compilePolicies } from '../../src/domain/policy/evaluator.ts';
import type { PolicyFlow, PolicyService } from '../../src/domain/policy/flow.ts';
import { parsePolicy } from '../../src/domain/policy/parse.ts';

/** One case as `oracle/README.md` describes it: policies, one flow, and what Cilium's own engine said. */
export interface OracleCase {
  readonly id: string;
  readonly policies: readonly unknown[];
  readonly services?: readonly PolicyService[];
  readonly flow: PolicyFlow;
  readonly expect: Decision & { readonly invalid?: readonly { readonly policy: string }[] };
}

/** What the evaluator says of a case, in the terms that are compared. */
export interface Answer {
  readonly decision: Decision;
  /** Names of the rejected policies, sorted. */
  readonly invalid: readonly string[];
}

/** Reads a `.jsonl` or `.jsonl.gz` file. Throws with the line number where a line is no case. */
export async function readCases(path: string): Promise<readonly OracleCase[]> {
  const bytes = await readFile(path).catch((error: unknown) => {
    throw new Error(`${path} cannot be read. Nothing was decided. Name a .jsonl or .jsonl.gz file of policy cases.`, { cause: error });
  });
  const text = (path.endsWith('.gz') ? await promisify(gunzip)(bytes) : bytes).toString('utf8');
  return text
    .split('\n')
    .map((line, index) => ({ line, number: index + 1 }))
    .filter(({ line }) => line.trim() !== '')
    .map(({ line, number }) => {
      try {
        return JSON.parse(line) as OracleCase;
      } catch (error) {
        throw new Error(`${path}:${number} is no JSON. Nothing was decided. A case is one JSON object on one line.`, { cause: error });
      }
    });
}

export function answerTo({ policies, services, flow }: OracleCase): Answer {
  const parsed = policies.map((policy) => parsePolicy(policy));
  const evaluator = compilePolicies(
    parsed.flatMap((one) => (one.ok ? [one.policy] : [])),
    services ? { services } : {},
  );
  return { decision: evaluator.decide(flow), invalid: parsed.flatMap((one) => (one.ok ? [] : [one.policy])).sort() };
}

/** Where the answer differs from what is expected, in words; empty = it agrees. */
export function differences({ expect }: OracleCase, { decision, invalid }: Answer): readonly string[] {
  const expected = (expect.invalid ?? []).map(({ policy }) => policy).sort();
  return [
    ...difference('verdict', expect.verdict, decision.verdict),
    ...(['egress', 'ingress'] as const).flatMap((direction) =>
      difference(direction, comparable(expect[direction]), comparable(decision[direction])),
    ),
    ...difference('invalid', expected, invalid),
  ];
}

function comparable(direction: DirectionDecision | null) {
  if (!direction) return null;
  const { allowed, enforced, selected, l4, l7 = 'none' } = direction;
  return { allowed, enforced, selected, l4, l7 };
}

function difference(name: string, expected: unknown, found: unknown): string[] {
  const [wanted, given] = [JSON.stringify(expected), JSON.stringify(found)];
  return wanted === given ? [] : [`${name}: expected ${wanted}, decided ${given}`];
}

export interface Comparison {
  readonly cases: number;
  readonly agree: number;
  readonly disagree: readonly string[];
}

/** Decides every case; `tell` hears of each that disagrees. A case that cannot be decided disagrees. */
export function compare(cases: readonly OracleCase[], tell: (id: string, words: readonly string[]) => void = () => {}): Comparison {
  const disagree: string[] = [];
  for (const one of cases) {
    const found = differencesOf(one);
    if (found.length === 0) continue;
    disagree.push(one.id);
    tell(one.id, found);
  }
  return { cases: cases.length, agree: cases.length - disagree.length, disagree };
}

function differencesOf(one: OracleCase): readonly string[] {
  try {
    return differences(one, answerTo(one));
  } catch (error) {
    return [`could not be decided: ${error instanceof Error ? error.message : String(error)}`];
  }
}
