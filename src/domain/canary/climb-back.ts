import type { Fields, PlannedStage, Write } from '../lifecycle/plan.ts';
import { formatPercent } from '../words/percent.ts';
import { climb } from './ladder.ts';
import { type RuleFields, rulesIn, shareOfAll } from './rule-fields.ts';
import { weightAt } from './stages.ts';
import { shiftWeights } from './weights.ts';

/** The backends of a rule that receive, as JSON pointers. */
export type ReceiversOf = (write: Write, rule: RuleFields) => readonly string[];

/** Shares of a rule's receivers, 0..1: as left, and as they were before that. */
function sharesOf(write: Write, rule: RuleFields, receiversOf: ReceiversOf): readonly [now: number, then: number] {
  const receivers = receiversOf(write, rule);
  return [shareOfAll(write.before, rule.backends, receivers), shareOfAll(write.after, rule.backends, receivers)];
}

const MORE = 1e-9;

/** Would any rule send more to a receiver than it does now? */
export function raises(writes: readonly Write[], receiversOf: ReceiversOf): boolean {
  return writes.some((write) =>
    rulesIn(write.before).some((rule) => {
      const [now, then] = sharesOf(write, rule, receiversOf);
      return then > now + MORE;
    }),
  );
}

/**
 * The stages of a way back that raises somebody's share: it climbs like any forward change, rule by rule, and ends at exactly the fields
 * of before. A rule that falls goes there with the first stage; one that reaches its own share early waits there.
 */
export function climbBack(
  writes: readonly Write[],
  receiversOf: ReceiversOf,
  ladder: readonly number[],
  firstStage: number,
): readonly PlannedStage[] {
  const rules = writes.flatMap((write) => rulesIn(write.before).map((rule) => sharesOf(write, rule, receiversOf)));
  const rising = rules.filter(([now, then]) => then > now + MORE);
  const today = Math.min(...rising.map(([now]) => tenths(now)));
  const visited = climb(today, Math.max(...rising.map(([, then]) => tenths(then))), ladder);
  let before = writes.map((write) => write.before);
  return visited.map((share, index): PlannedStage => {
    const isLast = index === visited.length - 1;
    const after = writes.map((write) => (isLast ? write.after : fieldsAt(write, receiversOf, share)));
    const stage = {
      number: firstStage + index,
      label: formatPercent(share),
      exposure: share / 100,
      writes: writes.map((write, at) => ({ ...write, before: before[at] ?? write.before, after: after[at] ?? write.after })),
    };
    before = after;
    return stage;
  });
}

function fieldsAt(write: Write, receiversOf: ReceiversOf, percent: number): Fields {
  const fields: Record<string, Fields[string]> = { ...write.before };
  for (const rule of rulesIn(write.before)) {
    const [now, then] = sharesOf(write, rule, receiversOf);
    if (then <= now + MORE || percent >= then * 100 - MORE) {
      for (const base of rule.backends) fields[`${base}/weight`] = write.after[`${base}/weight`] ?? null;
      continue;
    }
    if (percent <= now * 100 + MORE) continue;
    const receivers = receiversOf(write, rule);
    const backends = rule.backends.map((base) => ({ weight: weightAt(write.before, base), receives: receivers.includes(base) }));
    const earlier = rule.backends.map((base) => weightAt(write.after, base));
    const weights = shiftWeights(backends, percent, earlier);
    if (!weights) continue;
    for (const [at, base] of rule.backends.entries()) fields[`${base}/weight`] = weights[at] ?? null;
  }
  return fields;
}

function tenths(share: number): number {
  return Math.round(share * 1_000) / 10;
}
