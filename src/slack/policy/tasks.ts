// What is done with files of people, apart from the thread that answers. Everything in and out is plain data.

import type { Flow } from '../../clients/hubble/flow.ts';
import { type LintedText, lintText } from '../../documents/lint.ts';
import type { Explanation } from '../../domain/policy/decision.ts';
import { type DryRun, dryRun, withCandidate } from '../../domain/policy/dryrun/dry-run.ts';
import { readRecorded } from '../../domain/policy/dryrun/recorded.ts';
import { compilePolicies } from '../../domain/policy/evaluator.ts';
import type { PolicyFlow, PolicyPeer } from '../../domain/policy/flow.ts';
import { parsePolicy } from '../../domain/policy/parse.ts';
import { type ReadCandidate, readCandidate } from '../../reading/policy/sources/read-candidate.ts';
import { inForce, type World } from '../../reading/policy/world.ts';

type Documents = World['documents'];
type Compile = World['compile'];
type NamedPorts = NonNullable<PolicyPeer['namedPorts']>;

export interface DryRunTask {
  readonly flows: readonly Flow[];
  readonly documents: Documents;
  readonly compile: Compile;
  readonly candidate: unknown;
  /** Named ports of the workload's pods, by address. */
  readonly namedPorts: readonly (readonly [string, NamedPorts])[];
}

export interface ExplainTask {
  readonly flow: PolicyFlow;
  readonly documents: Documents;
  readonly compile: Compile;
  /** Left out: under the policies in force. */
  readonly candidate?: unknown;
}

export type Wrong = { readonly kind: 'wrong'; readonly words: string };

export const TASKS = {
  read: ({ text, source, namespace }: { readonly text: string; readonly source: string; readonly namespace: string }): ReadCandidate =>
    readCandidate(text, source, namespace),
  lint: ({ text }: { readonly text: string }): LintedText => lintText(text),
  dryRun: ({ flows, documents, compile, candidate, namedPorts }: DryRunTask): DryRun | Wrong => {
    const parsed = parsePolicy(candidate, named(compile));
    if (!parsed.ok) return { kind: 'wrong', words: `Cilium would reject it: ${parsed.error}.` };
    const byAddress = new Map(namedPorts);
    return dryRun({
      flows: flows.map(readRecorded),
      inForce: inForce(documents, compile),
      candidate: parsed.policy,
      context: { namedPorts: (address) => byAddress.get(address) },
      ...named(compile),
      ...(compile.services === undefined ? {} : { services: compile.services }),
    });
  },
  explain: ({ flow, documents, compile, candidate }: ExplainTask): Explanation | Wrong => {
    const policies = inForce(documents, compile);
    if (candidate === undefined) return compilePolicies(policies, compile).explain(flow);
    const parsed = parsePolicy(candidate, named(compile));
    if (!parsed.ok) return { kind: 'wrong', words: parsed.error };
    return compilePolicies(withCandidate(policies, parsed.policy), compile).explain(flow);
  },
} as const;

/** The same in the thread that asks: for tests, and for a model of the product. */
export function runHere<Name extends TaskName>(name: Name, input: TaskInput<Name>): Promise<TaskOutput<Name>> {
  const task = TASKS[name] as (given: TaskInput<Name>) => TaskOutput<Name>;
  return Promise.resolve().then(() => task(input));
}

export type TaskName = keyof typeof TASKS;
export type TaskInput<Name extends TaskName> = Parameters<(typeof TASKS)[Name]>[0];
export type TaskOutput<Name extends TaskName> = ReturnType<(typeof TASKS)[Name]>;

function named({ clusterName }: Compile): { clusterName?: string } {
  return clusterName === undefined ? {} : { clusterName };
}
