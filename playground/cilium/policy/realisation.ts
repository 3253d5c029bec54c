/**
 * From a policy written to a policy in force: each node takes a change some time after its watch brought it, so for a while nodes differ. What the
 * engine refuses is not taken: whatever was in force under that name stays.
 */
import type { PolicyService } from '../../../src/domain/policy/flow.ts';
import type { KubeObject } from '../kube/types.ts';
import type { PolicyInForce, RuleBook } from './rule-book.ts';
import { compileBook, readPolicy } from './rule-book.ts';

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
  /** The latest change begun for each policy: a slower, older one must not undo it. */
  readonly begun: Map<string, number>;
  revision: number;
  book: RuleBook | undefined;
}

/** Nodes without any policy; `stop` forgets the changes under way. */
export const createRealisation = (options: RealisationOptions): Realisation => {
  const states = new Map<string, NodeState>(
    options.nodes.map((node) => [node, { inForce: new Map(), begun: new Map(), revision: 1, book: undefined }]),
  );
  const timers = new Set<NodeJS.Timeout>();
  let changes = 0;

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
    changes += 1;
    const change = changes;
    for (const [node, state] of states) {
      const timer = setTimeout(() => {
        timers.delete(timer);
        if ((state.begun.get(id) ?? 0) > change) return;
        state.begun.set(id, change);
        if (!take(state, id, object)) return;
        options.onInForce({ policy: key, kind, generation: object?.metadata.generation ?? 0, node, seenAt, inForceAt: options.now() });
      }, options.delay());
      timers.add(timer);
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
};
