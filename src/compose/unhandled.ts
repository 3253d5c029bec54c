// Errors that nobody caught: logged and counted, and the process goes on or ends by decision.
import type { Log } from '../log.ts';

interface UnhandledDeps {
  readonly log: Log;
  readonly count: (kind: 'rejection' | 'exception') => void;
  readonly now: () => number;
  /** Where the errors come from; the process itself when left out. */
  readonly source?: Pick<NodeJS.Process, 'on' | 'off'>;
}

interface Unhandled {
  /** Rejects when the process should end in order; never resolves. */
  readonly fatal: Promise<never>;
  stop(): void;
}

/** One broken promise is one broken request. So many in a minute are a process that does not work. */
export const MOST_REJECTIONS = 20;
const WITHIN_MS = 60_000;

/** After an exception that left its call stack nothing is known of the state it left behind, so the process ends; workers hand their watches over. */
export function hearUnhandled({ log, count, now, source = process }: UnhandledDeps): Unhandled {
  const { promise: fatal, reject } = Promise.withResolvers<never>();
  fatal.catch(() => {});
  let recent: readonly number[] = [];
  const onRejection = (error: unknown): void => {
    count('rejection');
    log.error({ err: error }, 'a promise was rejected and nobody caught it; the process goes on');
    recent = [...recent.filter((at) => now() - at < WITHIN_MS), now()];
    if (recent.length > MOST_REJECTIONS) reject(new Error(`${recent.length} rejections in a minute were caught by nobody; meshops ends.`));
  };
  const onException = (error: unknown): void => {
    count('exception');
    log.error({ err: error }, 'an exception was caught by nobody; the process ends in order');
    reject(new Error(`An exception was caught by nobody; meshops ends: ${error instanceof Error ? error.message : String(error)}`));
  };
  source.on('unhandledRejection', onRejection);
  source.on('uncaughtException', onException);
  return {
    fatal,
    stop: () => {
      source.off('unhandledRejection', onRejection);
      source.off('uncaughtException', onException);
    },
  };
}
