import { CanaryDetails } from '../../src/domain/canary/details.ts';
import type { JudgeSettings } from '../../src/domain/judge/judge.ts';
import type { WatchInput } from '../../src/domain/lifecycle/contract.ts';

/** What one watch of a canary is held to: the operation's settings, with what is known of the time before it. */
export function judgeSettings(input: WatchInput, startedAt: number): JudgeSettings {
  const { plan, settings, alpha, durationMs, stage, purpose, view, evidence, drifted, applying } = input;
  const { receiver, baseline, unsplit } = CanaryDetails.parse(plan.details);
  const { objective, minRequests, slo, budget, confidence, latencyLimitMs } = settings;
  const isRestored = purpose === 'restored';
  const exposure = isRestored ? 1 : stage.exposure;
  return {
    objective,
    alpha,
    durationMs,
    ...(evidence && !isRestored && { planned: evidence.planned, watch: evidence.watch }),
    stage: stage.number,
    startedAt,
    lateMs: latencyLimitMs,
    ...(unsplit !== undefined && { split: false }),
    ...((drifted || applying) && { known: false }),
    minRequests,
    canaryService: receiver,
    exposure,
    ...(slo && { slo: unsplit === undefined ? slo : 'absolute' }),
    ...(baseline && { baseline: { requests: baseline.requests, failures: baseline.failures } }),
    ...(budget !== undefined && !isRestored && { budget: budget - (input.spent ?? spentIn(view, stage.number, objective)) }),
    ...(confidence !== undefined && {
      promotion: { kind: 'confidence', level: (1 - confidence) / Math.max(1, evidence?.planned.watches ?? 1) },
    }),
  };
}

/**
 * Failures above objective x requests that earlier stages have used up of the budget; better ones give nothing back. For an operation that
 * began before its watches counted this themselves.
 */
function spentIn({ stages }: WatchInput['view'], number: number, objective: number): number {
  const earlier = stages.flatMap((stage) => (stage.number < number && stage.counts ? [stage.counts.canary] : []));
  return earlier.reduce((sum, { requests, failures }) => sum + Math.max(0, failures - objective * requests), 0);
}
