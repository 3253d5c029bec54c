import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Decision, DirectionDecision } from '../../../src/domain/policy/decision.ts';
import { compilePolicies } from '../../../src/domain/policy/evaluator.ts';
import type { PolicyFlow } from '../../../src/domain/policy/flow.ts';
import { DIRECTIONS } from '../../../src/domain/policy/policy.ts';
import { cluster, documents, flow, oneRule, policies } from './arbitrary.ts';

// Every run tries other cases; a failure prints its seed, which fc.assert takes to repeat it.
const RUNS = { numRuns: Number(process.env.MESHOPS_PROPERTY_RUNS ?? 300) };
const flows = fc.array(flow, { minLength: 1, maxLength: 8 });
const evaluatorOf = (made: readonly object[]) => compilePolicies(policies(made), cluster);
/**
 * The engine's one exception: an endpoint without labels is closed, and its node may reach it only once any rule selects it (cilium
 * v1.20.2, pkg/policy/repository.go: the node's own rule is added to rules, not to none).
 */
function isNodeToInit({ source, destination }: PolicyFlow) {
  return source.labels.includes('reserved:host') && destination.labels.includes('reserved:init');
}
const allows = (direction: DirectionDecision | null) => direction?.allowed ?? true;

describe('any policies and any flow', () => {
  it('a deny rule that is added never adds an allow', () => {
    let denials = 0;
    fc.assert(
      fc.property(documents(), oneRule('deny'), flows, (made, added, asked) => {
        const before = evaluatorOf(made);
        const after = evaluatorOf([...made, added]);
        for (const one of asked) {
          const was = before.decide(one);
          const is = after.decide(one);
          for (const direction of DIRECTIONS) {
            if (!isNodeToInit(one)) expect(!allows(was[direction]) && allows(is[direction])).toBe(false);
          }
          if (was.verdict === 'allowed' && is.verdict === 'denied') denials += 1;
        }
      }),
      RUNS,
    );
    // Rules that never meet a flow would prove nothing.
    expect(denials).toBeGreaterThan(3);
  });

  it('an allow rule that is added never adds a drop where default deny is in force already (DNS rules apart)', () => {
    let openings = 0;
    fc.assert(
      fc.property(documents(false), oneRule('allow'), flows, (made, added, asked) => {
        const before = evaluatorOf(made);
        const after = evaluatorOf([...made, added]);
        for (const one of asked) {
          const was = before.decide(one);
          const is = after.decide(one);
          for (const direction of DIRECTIONS) {
            if (!was[direction]?.enforced) continue;
            expect(allows(was[direction]) && !allows(is[direction])).toBe(false);
            if (!allows(was[direction]) && allows(is[direction])) openings += 1;
          }
        }
      }),
      RUNS,
    );
    expect(openings).toBeGreaterThan(3);
  });

  it('the order of policies, and of rules in them, never matters', () => {
    fc.assert(
      fc.property(documents(), flows, fc.infiniteStream(fc.nat()), (made, asked, numbers) => {
        const shuffled = shuffle(
          made.map((one) => shuffleRules(one, numbers)),
          numbers,
        );
        const decisions = (all: readonly object[]) => asked.map((one) => evaluatorOf(all).decide(one));
        expect(decisions(shuffled)).toEqual(decisions(made));
      }),
      RUNS,
    );
  });

  it('a flow that no rule decides says so, and one that a rule decides names it', () => {
    const kinds = new Set<string>();
    fc.assert(
      fc.property(documents(), flows, (made, asked) => {
        const evaluator = evaluatorOf(made);
        for (const one of asked) {
          const { decision, ...reasons } = evaluator.explain(one);
          expect(decision).toEqual(evaluator.decide(one));
          for (const direction of DIRECTIONS) {
            const said = reasons[direction];
            const decided = decision[direction];
            if (!said || !decided) expect(said).toBe(decided);
            else {
              kinds.add(said.kind);
              expect(said.rules.length > 0).toBe(['allow', 'deny', 'l7'].includes(said.kind));
              expect(decided.allowed).toBe(!['deny', 'l7', 'default-deny'].includes(said.kind));
              expect(said.kind === 'no-policy').toBe(!decided.selected);
              if (said.rules.length === 0) expect(said.words).toMatch(/^No rule/);
            }
          }
        }
      }),
      RUNS,
    );
    // All seven are proved by examples; here only that chance meets most of them.
    expect(kinds.size).toBeGreaterThanOrEqual(5);
  });

  it('decides flows by handles, in any order and again, as it decides them one by one', () => {
    fc.assert(
      fc.property(documents(), flows, (made, asked) => {
        const alone = asked.map((one) => evaluatorOf(made).decide(one));
        const evaluator = evaluatorOf(made);
        const compact = asked.map((one) => ({
          ...one,
          source: evaluator.identity(one.source),
          destination: evaluator.identity(one.destination),
        }));
        const decided = (all: typeof compact): Decision[] => all.map((one) => evaluator.decideBetween(one));
        expect(decided(compact)).toEqual(alone);
        expect(decided(compact.toReversed()).toReversed()).toEqual(alone);
      }),
      RUNS,
    );
  });
});

function shuffle<T>(items: readonly T[], numbers: fc.Stream<number>): T[] {
  const keys = [...numbers.take(items.length)];
  return items
    .map((item, index) => ({ item, key: keys[index] ?? 0 }))
    .sort((a, b) => a.key - b.key)
    .map(({ item }) => item);
}

/** Every list of rules in another order: their order in a section has no meaning either. */
function shuffleRules(document: object, numbers: fc.Stream<number>): object {
  const { spec } = document as { spec: Record<string, unknown> };
  const sections = Object.entries(spec).map(([name, value]) => [name, Array.isArray(value) ? shuffle(value, numbers) : value]);
  return { ...document, spec: Object.fromEntries(sections) };
}
