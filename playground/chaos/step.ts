import type { ActionId } from '../../src/domain/lifecycle/button.ts';
import type { Phase } from '../../src/domain/lifecycle/operation.ts';
import type { CandidateName, OtherPolicy } from './world/candidates.ts';
import type { Mode, System } from './world/faults.ts';
import type { Relabelling } from './world/relabelling.ts';
import type { WorldOptions } from './world/settings.ts';

/**
 * One thing that happens in the world. `wait`: how long nothing else is made to happen after it (ms); 0 = the next one comes at once.
 * `until`: less long where the newest operation gets into this phase before, so that something can happen in phases that last milliseconds.
 */
export type Step = Happening & { readonly wait: number; readonly until?: Phase };

export type Happening =
  /** A person types a command. */
  | { readonly do: 'command'; readonly by: string; readonly text: string }
  /** A person presses the newest button of this kind that is still there. */
  | { readonly do: 'press'; readonly by: string; readonly action: ActionId; readonly reason?: string }
  /** A person presses a button that was shown some time ago: `back` = 0 is the newest that was ever shown, 1 the one before. */
  | { readonly do: 'press-old'; readonly by: string; readonly action: ActionId; readonly back: number }
  /** Slack delivers the last request once more. */
  | { readonly do: 'redeliver' }
  /** Another hand changes the weights of the route. */
  | { readonly do: 'edit-weights'; readonly canary: number }
  /** Another hand changes something that meshops does not manage. */
  | { readonly do: 'edit-label'; readonly value: string }
  | { readonly do: 'strip-token' }
  /** Another hand puts a token of an operation that never was. */
  | { readonly do: 'forge-token' }
  | { readonly do: 'delete-route' }
  | { readonly do: 'recreate-route' }
  /** A controller that is here no more has left its word on the route. */
  | { readonly do: 'leave-status' }
  /** All pods of one side are replaced by so many. */
  | { readonly do: 'scale'; readonly side: 'stable' | 'canary'; readonly count: number }
  /** From now on this share of the side's requests fails. */
  | { readonly do: 'fail'; readonly side: 'stable' | 'canary'; readonly share: number }
  /** Nobody asks for anything, or people do again. */
  | { readonly do: 'quiet'; readonly quiet: boolean }
  | { readonly do: 'outage'; readonly system: System; readonly mode: Mode }
  | { readonly do: 'heal'; readonly system: System }
  | { readonly do: 'agent'; readonly node: string; readonly away: boolean }
  | { readonly do: 'lose'; readonly node: string; readonly count: number }
  /** The worker is killed; another comes up after some time (ms). */
  | { readonly do: 'kill-worker'; readonly backAfter: number }
  /** The workload's ConfigMap offers another policy from now on. */
  | { readonly do: 'offer'; readonly policy: CandidateName }
  /** One pod of the workload is replaced, or all of them by so many. */
  /** `inPlace`: it comes back under its name, as those of a StatefulSet do. */
  | { readonly do: 'replace-pod'; readonly inPlace?: true }
  | { readonly do: 'scale-workload'; readonly count: number }
  /** Another hand changes the labels of one pod: it leaves its workload or comes back, loses the label of a cohort, or is given one. */
  | { readonly do: 'relabel-pod'; readonly how: Relabelling }
  /** Another hand puts a policy of its own over the same pods, in the place of the one before; `none`: takes it away. */
  | { readonly do: 'other-policy'; readonly which: OtherPolicy | 'none' }
  /** A connection that is not usual is tried. */
  | { readonly do: 'connect'; readonly which: number }
  /** Another hand opens the policy of the workload, or deletes it. */
  | { readonly do: 'edit-policy' }
  | { readonly do: 'delete-policy' }
  /** Somebody ends the newest run by hand, on Temporal's server. */
  | { readonly do: 'terminate' };

/** A world and what happens in it: all of one run, together with the seed of its chances. */
export interface Schedule {
  readonly seed: number;
  readonly world: WorldOptions;
  readonly steps: readonly Step[];
}
