import { type LogLevel, type LogMetadata, Runtime } from '@temporalio/worker';
import type { Logger as Pino } from 'pino';

/**
 * Temporal's native runtime, once per process and before any worker: its logs go through pino, its metrics to an address of
 * their own when one is given. Signals stay ours: the order of a shutdown matters.
 */
export function installRuntime(log: Pino, metricsAddress?: string): void {
  Runtime.install({
    logger: {
      log: (level, message, meta) => write(log, level, message, meta),
      trace: (message, meta) => write(log, 'TRACE', message, meta),
      debug: (message, meta) => write(log, 'DEBUG', message, meta),
      info: (message, meta) => write(log, 'INFO', message, meta),
      warn: (message, meta) => write(log, 'WARN', message, meta),
      error: (message, meta) => write(log, 'ERROR', message, meta),
    },
    shutdownSignals: [],
    telemetryOptions: {
      logging: { filter: { core: 'WARN', other: 'ERROR' }, forward: {} },
      ...(metricsAddress ? { metrics: { prometheus: { bindAddress: metricsAddress } } } : {}),
    },
  });
}

const PINO_LEVEL = { TRACE: 'trace', DEBUG: 'debug', INFO: 'info', WARN: 'warn', ERROR: 'error' } as const satisfies Record<
  LogLevel,
  string
>;

/** What may be logged of Temporal's own fields: names and ids, never arguments or results. */
const LOGGED = [
  'workflowId',
  'runId',
  'workflowType',
  'activityType',
  'activityId',
  'attempt',
  'taskQueue',
  'durationMs',
  'error',
  'target',
] as const;

function write(log: Pino, level: LogLevel, message: string, meta: LogMetadata | undefined): void {
  const fields: Record<string, unknown> = {};
  for (const name of LOGGED) {
    const value: unknown = meta?.[name];
    if (value !== undefined) fields[name === 'error' ? 'err' : name] = value;
  }
  log[PINO_LEVEL[level]](fields, message);
}
