/**
 * From a policy written to a policy in force: each node takes a change some time after its watch brought it, so for a while nodes differ. What the
 * engine refuses is not taken: whatever was in force under that name stays.
 */
import type { PolicyService } from '../../../src/domain/policy/flow.ts';
import type { KubeObject } from '../kube/types.ts';
import { compileBook, type PolicyInForce, type RuleBook, readPolicy } from './rule-book.ts';

/** One change of one policy on one node. Times are Unix milliseconds. */
export interface TruePolicy {
  /** `namespace/name`, `/name` for a cluster-wide policy. */
  readonly policy: string;
  readonly kind: string;
  /** 0 = deleted. */
  readonly generation: number;
  readonly node: string;
  readonly seenAt: number;
  readonly inForceAt: number;
}

export interface Realisation {
  /** A change as the watch brought it; `object` undefined = deleted. */
  seen(kind: string, key: string, object: KubeObject | undefined): void;
  /** Services changed: what `toServices` names may be something else now. */
  servicesChanged(): void;
  /** The rules in force on a node now. */
  at(node: string): RuleBook;
  stop(): void;
}

export interface RealisationOptions {
  readonly nodes: readonly string[];
  /** Milliseconds from the watch to the effect, drawn for each change and node. */
  readonly delay: () => number;
  readonly services: () => readonly PolicyService[];
  readonly now: () => number;
  readonly onInForce: (change: TruePolicy) => void;
}

interface NodeState {
  readonly inForce: Map<string, PolicyInForce>;
  /** Changes on their way, in the order in which the agent heard of them: none is in force before an earlier one. `at`: Unix ms. */
  arriving: readonly { readonly id: string; readonly at: number; readonly take: () => void }[];
  revision: number;
  book: RuleBook | undefined;
}

/** Nodes without any policy; `stop` forgets the changes under way. */
export function createRealisation(options: RealisationOptions): Realisation {
  const states = new Map<string, NodeState>(
    options.nodes.map((node) => [node, { inForce: new Map(), arriving: [], revision: 1, book: undefined }]),
  );
  const timers = new Set<NodeJS.Timeout>();

  const arrive = (state: NodeState): void => {
    const now = options.now();
    const due = state.arriving.filter(({ at }) => at <= now);
    state.arriving = state.arriving.filter(({ at }) => at > now);
    for (const { take } of due) take();
    const [next] = state.arriving;
    if (!next) return;
    const timer = setTimeout(
      () => {
        timers.delete(timer);
        arrive(state);
      },
      Math.ceil(next.at - now),
    );
    timers.add(timer);
  };

  const take = (state: NodeState, id: string, object: KubeObject | undefined): boolean => {
    const read = object && readPolicy({ kind: id.slice(0, id.indexOf(' ')), ...object });
    if (read && 'error' in read) return false;
    if (!object && !state.inForce.has(id)) return false;
    state.revision += 1;
    if (object && read) state.inForce.set(id, { object, policy: read.policy, revision: state.revision });
    else state.inForce.delete(id);
    state.book = undefined;
    return true;
  };

  const seen = (kind: string, key: string, object: KubeObject | undefined): void => {
    const [id, seenAt] = [`${kind} ${key}`, options.now()];
    for (const [node, state] of states) {
      const at = Math.max(seenAt + options.delay(), state.arriving.at(-1)?.at ?? 0);
      const inForce = (): void => {
        if (!take(state, id, object)) return;
        options.onInForce({ policy: key, kind, generation: object?.metadata.generation ?? 0, node, seenAt, inForceAt: options.now() });
      };
      // A newer version takes the place of one that is still on its way.
      state.arriving = [...state.arriving.filter((one) => one.id !== id), { id, at, take: inForce }];
      arrive(state);
    }
  };

  return {
    seen,
    servicesChanged: () => {
      for (const state of states.values()) state.book = undefined;
    },
    at: (node) => {
      const state = states.get(node);
      if (!state) throw new Error(`There is no node ${node}. Use one of: ${[...states.keys()].join(', ')}.`);
      state.book ??= compileBook([...state.inForce.values()], options.services(), state.revision);
      return state.book;
    },
    stop: () => {
      for (const timer of timers) clearTimeout(timer);
      timers.clear();
    },
  };
}
