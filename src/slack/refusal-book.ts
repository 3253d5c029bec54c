// Refusals in the audit record: counted, so that strangers cannot write it full.
import type { Audit } from '../audit/log.ts';
import type { JsonObject } from '../domain/json.ts';
import type { AuditRecord } from '../domain/lifecycle/operation.ts';
import type { Target } from '../domain/target.ts';
import { type Backgrounds, inBackground } from './background.ts';
import { type Origin, requestIdOf } from './origin.ts';

export interface RefusedRequest {
  readonly origin: Origin;
  readonly code: string;
  /** Who was refused: the person's id where it is known, else Slack's id of the account. */
  readonly actor: string;
  readonly data: JsonObject;
  readonly opId?: string;
  readonly target?: Target;
}

/** One record for each person and code in a minute: the first at once, the rest with their count when the minute is over. */
export interface RefusalBook {
  /** True for the first of this person and code in this minute. */
  note(refused: RefusedRequest): boolean;
  /** Writes the counts that still wait. */
  flush(): void;
}

export const REFUSALS_EVERY_MS = 60_000;
/** People and codes that are counted apart at the same time; all others share one line. */
const MOST_LINES = 500;
const NOWHERE: Target = { cluster: '', namespace: '', name: '' };

interface Line {
  nextAt: number;
  waiting: { refused: RefusedRequest; count: number } | undefined;
}

export interface BookDeps extends Backgrounds {
  readonly audit: Pick<Audit, 'append'>;
  readonly now: () => number;
  /** Calls back once after so many milliseconds. */
  readonly after?: (ms: number, work: () => void) => void;
}

export function createRefusalBook(deps: BookDeps): RefusalBook {
  const lines = new Map<string, Line>();
  const after = deps.after ?? ((ms, work) => void setTimeout(work, ms).unref());
  const write = (key: string, line: Line, refused: RefusedRequest, count: number): void => {
    line.waiting = undefined;
    line.nextAt = deps.now() + REFUSALS_EVERY_MS;
    inBackground(deps, 'a refusal could not be recorded', () => deps.audit.append([recordOf(refused, count, deps.now())]));
    after(REFUSALS_EVERY_MS, () => settle(key, line));
  };
  const settle = (key: string, line: Line): void => {
    if (line.waiting) write(key, line, line.waiting.refused, line.waiting.count);
    else if (deps.now() >= line.nextAt && lines.get(key) === line) lines.delete(key);
  };
  return {
    note: (refused) => {
      const own = `${refused.actor}\n${refused.code}`;
      const key = lines.has(own) || lines.size < MOST_LINES ? own : 'others';
      const line = lines.get(key) ?? { nextAt: 0, waiting: undefined };
      lines.set(key, line);
      const count = (line.waiting?.count ?? 0) + 1;
      const first = deps.now() >= line.nextAt;
      if (first) write(key, line, refused, count);
      else line.waiting = { refused, count };
      return first;
    },
    flush: () => {
      for (const [key, line] of lines) if (line.waiting) write(key, line, line.waiting.refused, line.waiting.count);
    },
  };
}

function recordOf({ origin, code, actor, data, opId = '', target = NOWHERE }: RefusedRequest, count: number, at: number): AuditRecord {
  const counted = count > 1 ? { count } : {};
  return { key: `${requestIdOf(origin)}:refused`, at, kind: 'refusal', opId, target, actor, data: { ...data, code, ...counted } };
}
