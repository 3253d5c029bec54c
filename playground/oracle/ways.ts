import { appendFileSync, writeFileSync } from 'node:fs';
import fc from 'fast-check';
import type { JsonObject } from '../../src/domain/json.ts';
import { compilePolicies } from '../../src/domain/policy/evaluator.ts';
import type { PolicyFlow } from '../../src/domain/policy/flow.ts';
import { parsePolicy } from '../../src/domain/policy/parse.ts';
import { USUAL_SHAPE } from '../../src/domain/policy/stages/levels.ts';
import { momentsOf } from '../../src/domain/policy/stages/moments.ts';
import { COHORT_LABEL } from '../../src/domain/policy/stages/rule-document.ts';
import { atOnce, checkStages, shapeOf } from '../../src/domain/policy/stages/shape.ts';
import { cluster, flow, type Way, way } from '../../test/domain/policy/arbitrary.ts';
import { OP } from '../../test/domain/policy/stages/documents.ts';
import { inputOf } from '../../test/domain/policy/stages/way.ts';

export interface WaysResult {
  readonly seed: number;
  readonly cases: number;
  /** Ways that have a moment looser or tighter than both ends; must be 0. */
  readonly breaches: number;
  /** What the usual way (ingress, egress, then layer 7) would have had. */
  readonly usualBreaches: number;
  /** Too many kinds of flows to look at each: all pods in one step. */
  readonly cut: number;
  readonly shapes: Readonly<Record<string, number>>;
  readonly written: number;
}

/**
 * Random (other policies, policy before, candidate): is every moment of the way between them? `out`: flows of chance at each moment, as
 * cases in the format of `cases.ts`, so that Cilium's own engine can decide them too. What is expected is what our evaluator says.
 */
export function tryWays({
  runs,
  seed,
  out,
}: {
  readonly runs: number;
  readonly seed: number;
  readonly out?: string | undefined;
}): WaysResult {
  if (out !== undefined) writeFileSync(out, '');
  const counts = { breaches: 0, usualBreaches: 0, cut: 0, written: 0 };
  const shapes: Record<string, number> = {};
  for (const [index, [made, flows]] of fc
    .sample(fc.tuple(way, fc.array(flow, { minLength: 1, maxLength: 1 })), { numRuns: runs, seed })
    .entries()) {
    const input = inputOf(made);
    if (atOnce(checkStages(input, input.stagesOf(USUAL_SHAPE))).breach) counts.usualBreaches += 1;
    const { shape, cut } = atOnce(shapeOf(input));
    const name = shape.cohorts ? `${shape.order.join()}${shape.split.length > 0 ? ` split ${shape.split.join()}` : ''}` : 'at once';
    shapes[name] = (shapes[name] ?? 0) + 1;
    if (cut) counts.cut += 1;
    else if (atOnce(checkStages(input, input.stagesOf(shape))).breach) counts.breaches += 1;
    if (out === undefined) continue;
    const cases = casesOf(`way-${seed}-${index}`, index, made, input.stagesOf(shape), flows);
    appendFileSync(out, cases.map((one) => `${JSON.stringify(one)}\n`).join(''));
    counts.written += cases.length;
  }
  return { seed, cases: runs, ...counts, shapes };
}

/** One moment of each way, and one flow with and without the cohort: ten thousand ways make some 50 MB. */
function casesOf(
  id: string,
  index: number,
  { others, before }: Way,
  stages: ReturnType<ReturnType<typeof inputOf>['stagesOf']>,
  flows: readonly PolicyFlow[],
) {
  const moments = momentsOf(stages, before);
  const place = index % Math.max(1, moments.length);
  const [one] = flows;
  const documents = moments[place]?.documents;
  if (!one || !documents) return [];
  const policies: readonly JsonObject[] = [...others, ...documents];
  const evaluator = compilePolicies(
    policies.flatMap((document) => parsed(document)),
    cluster,
  );
  return [one, inCohort(one)].map((each, number) => {
    const { verdict, egress, ingress } = evaluator.decide(each);
    return { id: `${id}-${place}-${number}`, policies, services: cluster.services, flow: each, expect: { verdict, egress, ingress } };
  });
}

function parsed(document: JsonObject) {
  const result = parsePolicy(document);
  return result.ok ? [result.policy] : [];
}

/** The same flow to and from a pod that goes first. */
function inCohort({ source, destination, ...rest }: PolicyFlow): PolicyFlow {
  const label = `k8s:${COHORT_LABEL}=${OP}`;
  const joined = (peer: PolicyFlow['source']) =>
    peer.labels.includes('k8s:app=server') ? { ...peer, labels: [...peer.labels, label] } : peer;
  return { ...rest, source: joined(source), destination: joined(destination) };
}
