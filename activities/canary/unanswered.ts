import { RELAY } from '../clients/hubble/flows.ts';
import type { Side } from './sides.ts';

/** A request that has reached a pod and has no answer yet. */
export interface Asked {
  readonly key: string;
  readonly node: string;
  readonly at: number;
  readonly side: Side;
  readonly id: string;
  readonly about: About;
}

/** What stays true of a request however it ends. */
export interface About {
  /** One of our own. */
  readonly synthetic?: true;
  readonly unsplit?: true;
  readonly cold?: true;
}

/** Requests that wait for their answer, and those that have waited too long. */
export interface Unanswered {
  /** False: it is not waited for. */
  asked(request: Asked): boolean;
  /** The answer is there. `told`: the request was told as unanswered before, so it is counted already; else the request, where it is known. */
  answered(key: string): Asked | 'told' | undefined;
  /** When the oldest request that waits began (epoch ms); undefined: none waits. */
  oldest(): number | undefined;
  /** Event time that `node`'s records have reached. */
  reached(node: string, at: number): void;
  /** Records of the node are missing, or late: the answer may be among them, so nothing is claimed until `seen`. */
  lost(node: string): void;
  seen(node: string): void;
  /** Those whose answer is overdue now; each is told once. */
  overdue(now: number): readonly Asked[];
}

/** Records of one node come nearly in order: an answer may be this much behind the newest record (ms). */
const DISORDER_MS = 400;
/** Without newer records of the node, an answer may be this late (ms): later than that is a gap of its own. */
const LATE_MS = 2_000;
const MOST = 20_000;

/** A hang gives no record of a response (facts 8b), so it shows only as one that does not come within `limitMs`. */
export function createUnanswered(limitMs: number): Unanswered {
  const waiting = new Map<string, Asked>();
  const told = new Set<string>();
  const newest = new Map<string, number>();
  const blind = new Set<string>();
  return {
    asked(request) {
      if (blind.has(request.node) || blind.has(RELAY)) return false;
      // A second request with the id of one that waits is a retry: the older one is past help.
      const isNew = !waiting.has(request.key);
      if (isNew) waiting.set(request.key, request);
      // Nobody is blamed for what does not fit: the oldest is forgotten.
      if (waiting.size > MOST) waiting.delete(waiting.keys().next().value ?? '');
      return isNew;
    },
    answered(key) {
      if (told.delete(key)) return 'told';
      const asked = waiting.get(key);
      waiting.delete(key);
      return asked;
    },
    // Records come nearly in the order of time, so the first is the oldest.
    oldest: () => waiting.values().next().value?.at,
    reached(node, at) {
      if (at > (newest.get(node) ?? 0)) newest.set(node, at);
    },
    lost(node) {
      blind.add(node);
      for (const [key, asked] of waiting) if (asked.node === node || node === RELAY) waiting.delete(key);
    },
    seen: (node) => void blind.delete(node),
    overdue(now) {
      const over: Asked[] = [];
      for (const [key, asked] of waiting) {
        const due = asked.at + limitMs;
        if (now < due) continue;
        if ((newest.get(asked.node) ?? 0) < due + DISORDER_MS && now < due + LATE_MS) continue;
        waiting.delete(key);
        told.add(key);
        if (told.size > MOST) told.delete(told.values().next().value ?? '');
        over.push(asked);
      }
      return over;
    },
  };
}
