import type { Direction, PolicyKind } from './policy.ts';

export interface Decision {
  readonly verdict: 'allowed' | 'denied';
  /** What the policies of the source say; null where none is enforced (hosts, remote nodes, the API server, the world). */
  readonly egress: DirectionDecision | null;
  /** What the policies of the destination say. */
  readonly ingress: DirectionDecision | null;
}

export interface DirectionDecision {
  /** The final result of this direction, layer 7 included. */
  readonly allowed: boolean;
  /** Default deny is in force for the endpoint. */
  readonly enforced: boolean;
  /** At least one rule selects the endpoint; with `enforced` false only deny rules bite. */
  readonly selected: boolean;
  /** Layers 3 and 4 alone. */
  readonly l4: 'allowed' | 'denied';
  /** The proxy which the flow goes through; without a request or query in the flow, `allowed` is what `l4` says. */
  readonly l7?: 'http' | 'dns';
}

/**
 * What decided: a rule (`allow`, `deny`), or no rule: `default-deny` (selected, and nothing allows it), `default-allow` (selected by
 * rules without default deny only), `no-policy` (no rule selects the endpoint), `host` (the node itself always reaches its pods).
 * `l7` = layers 3 and 4 allow it, and no layer 7 rule among the named ones permits this request or query.
 */
export type ReasonKind = 'allow' | 'deny' | 'l7' | 'default-deny' | 'default-allow' | 'no-policy' | 'host';

export interface Explanation {
  readonly decision: Decision;
  readonly egress: Reason | null;
  readonly ingress: Reason | null;
}

export interface Reason {
  readonly direction: Direction;
  readonly kind: ReasonKind;
  /** The rules that decided, in the order of the policies; empty where no rule did. */
  readonly rules: readonly RuleName[];
  /** One sentence for people. */
  readonly words: string;
}

export interface RuleName {
  readonly kind: PolicyKind;
  /** `namespace/name`, or `name`. */
  readonly policy: string;
  /** `spec.ingress[0]`. */
  readonly path: string;
}
