import { RELAY } from '../../src/clients/hubble/flows.ts';

/** Something that was asked and has no answer yet. */
export interface Waiting {
  readonly key: string;
  readonly node: string;
  readonly at: number;
}

/** Requests that wait for their answer, and those that have waited too long. */
export interface Unanswered<T extends Waiting> {
  /** False: it is not waited for. */
  asked(request: T): boolean;
  /**
   * The answer is there, of event time `at`. `told`: the request was told as unanswered before, so it is counted already; else the request,
   * where it is known. One that is heard of after its answer is not waited for.
   */
  answered(key: string, at: number): T | 'told' | undefined;
  /** Nobody is to blame for what becomes of it. */
  forget(key: string): void;
  /** When the oldest request that waits began (epoch ms); undefined: none waits. */
  oldest(): number | undefined;
  /** Event time that `node`'s records have reached. */
  reached(node: string, at: number): void;
  /** Records of the node are missing, or late: the answer may be among them, so nothing is claimed until `seen`. */
  lost(node: string): void;
  seen(node: string): void;
  /** Those whose answer is overdue now; each is told once. */
  overdue(now: number): readonly T[];
}

/** Records of one node come nearly in order: an answer may be this much behind the newest record (ms). */
const DISORDER_MS = 400;
/** Without newer records of the node, an answer may be this late (ms): later than that is a gap of its own. */
const LATE_MS = 2_000;
const MOST = 20_000;

/** A hang gives no record of a response (facts 8b), so it shows only as one that does not come within `limitMs`. */
export function createUnanswered<T extends Waiting>(limitMs: number, lateMs: number = LATE_MS): Unanswered<T> {
  const waiting = new Map<string, T>();
  const told = new Set<string>();
  const early = new Map<string, number>();
  const newest = new Map<string, number>();
  const blind = new Set<string>();
  return {
    asked(request) {
      if (blind.has(request.node) || blind.has(RELAY)) return false;
      const answeredAt = early.get(request.key);
      early.delete(request.key);
      if (answeredAt !== undefined && request.at <= answeredAt) return false;
      // A second request with the id of one that waits is a retry: the older one is past help.
      const isNew = !waiting.has(request.key);
      if (isNew) waiting.set(request.key, request);
      // Nobody is blamed for what does not fit: the oldest is forgotten.
      if (waiting.size > MOST) waiting.delete(waiting.keys().next().value ?? '');
      return isNew;
    },
    answered(key, at) {
      if (told.delete(key)) return 'told';
      const asked = waiting.get(key);
      if (!asked) early.set(key, at);
      if (early.size > MOST) early.delete(early.keys().next().value ?? '');
      waiting.delete(key);
      return asked;
    },
    forget: (key) => void waiting.delete(key),
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
      const over: T[] = [];
      for (const [key, asked] of waiting) {
        const due = asked.at + limitMs;
        if (now < due) continue;
        if ((newest.get(asked.node) ?? 0) < due + DISORDER_MS && now < due + lateMs) continue;
        waiting.delete(key);
        told.add(key);
        if (told.size > MOST) told.delete(told.values().next().value ?? '');
        over.push(asked);
      }
      return over;
    },
  };
}
