import { CanaryDetails } from '../../src/domain/canary/details.ts';
import type { JudgeSettings } from '../../src/domain/judge/judge.ts';
import type { WatchInput } from '../contract.ts';

/** What one watch of a canary is held to: the operation's settings, with what is known of the time before it. */
export function judgeSettings(input: WatchInput, startedAt: number): JudgeSettings {
  const { plan, settings, alpha, durationMs, stage, purpose, view } = input;
  const { receiver, baseline } = CanaryDetails.parse(plan.details);
  const { objective, minRequests, slo, budget, confidence } = settings;
  const isRestored = purpose === 'restored';
  const exposure = isRestored ? 1 : stage.exposure;
  const before = baseline && { groups: baseline.drops, ms: baseline.ms };
  const hasControl = exposure > 0 && exposure < 1;
  return {
    objective,
    alpha,
    durationMs,
    startedAt,
    minRequests,
    canaryService: receiver,
    exposure,
    ...(slo && { slo }),
    ...(baseline && { baseline: { requests: baseline.requests, failures: baseline.failures } }),
    // After an undo both sides are asked about, so there is nothing to hold drops against.
    ...(!isRestored && hasControl && { drops: {} }),
    ...(!isRestored && exposure === 1 && before && { drops: { before } }),
    ...(budget !== undefined && !isRestored && { budget: budget - (input.spent ?? spentIn(view, stage.number, objective)) }),
    ...(confidence !== undefined && { promotion: { kind: 'confidence', level: 1 - confidence } }),
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
