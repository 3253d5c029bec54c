import type { JsonObject } from '../json.ts';
import type { WayBack } from '../lifecycle/change.ts';

/** What `/policy observe`, `enforce`, `relax`, `bootstrap` and `delete` ask for. */
export type PolicyChange =
  | EnforceChange
  | WayBack
  /** In requests of earlier versions: back to what was before the last completed operation on this workload, which is `back` now. */
  | { readonly kind: 'relax'; readonly policy?: string }
  /** Default deny for a whole namespace, keeping DNS, the API server, health and ingress. The target's name is `bootstrapName`. */
  | {
      readonly kind: 'bootstrap';
      readonly windowMs?: number;
      readonly steps?: readonly number[];
      readonly observe?: false;
      readonly accept?: readonly string[];
      readonly counted?: Readonly<Record<string, number>>;
    }
  | DeleteChange;

/** A policy of the target's namespace goes out of force by cohorts, and is removed at the end. Nothing of it is observed: a shadow only allows. */
export type DeleteChange = {
  readonly kind: 'delete';
  readonly policy: string;
  readonly windowMs?: number;
  readonly steps?: readonly number[];
  readonly observe?: false;
  readonly accept?: readonly string[];
  readonly counted?: Readonly<Record<string, number>>;
};

/** What brings something new into force, or out of it, by cohorts. */
export type RolloutChange = Exclude<PolicyChange, { readonly kind: 'back' | 'relax' }>;

export type EnforceChange = {
  /** `observe`: the shadow alone for the window, then it is removed again. */
  readonly kind: 'enforce' | 'observe';
  readonly candidate: Candidate;
  /** How long it is observed before anything is enforced, and how far back "was forwarded before" looks. Milliseconds. */
  readonly windowMs?: number;
  /** Shares in percent of the pods that are under the policy, rising; the whole is always the last. */
  readonly steps?: readonly number[];
  /** False: enforced without the shadow before it, but for what a policy needs that allows by name. */
  readonly observe?: false;
  /** Keys of drops that are meant (`doubtKey`), as the dry-run shows them. */
  readonly accept?: readonly string[];
  /** How many of each of them the dry-run that people saw has counted: what is accepted is bounded by it. */
  readonly counted?: Readonly<Record<string, number>>;
  /** What a dry-run of this file has found a moment ago, in sentences: people see it first. Absent: the plan makes one. */
  readonly dryRun?: readonly string[];
  /** `--no-dryrun`: planned without one, and people are told. */
  readonly withoutDryRun?: true;
  /** `--replace`: a policy of this name that also protects other pods may be replaced; approvers see what is lost. */
  readonly replace?: true;
};

/** One CiliumNetworkPolicy as it was written, before any server prunes it. A type, not an interface: it goes into records as JSON. */
export type Candidate = {
  readonly document: JsonObject;
  /** sha256 hex of the text it was read from. */
  readonly sha256: string;
  /** Where it comes from, for people: `ConfigMap policies/frontend`, `frontend.yaml (file in this thread)`. */
  readonly source: string;
  /** Where it is read again at the approval; absent for a file in a thread, which cannot change. */
  readonly origin?: CandidateOrigin;
};

export type CandidateOrigin =
  | { readonly kind: 'config-map'; readonly namespace: string; readonly name: string; readonly key: string; readonly selector: string }
  | { readonly kind: 'folder'; readonly path: string };

/** The name of the target of a bootstrap: the workflow id `mesh/<cluster>/<namespace>/namespace-<namespace>` is its lock. */
export function bootstrapName(namespace: string): string {
  return `namespace-${namespace}`;
}
