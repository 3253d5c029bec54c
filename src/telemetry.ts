// What meshops tells about itself: metrics for Prometheus, structured logs. No value of a secret, no payload.
import { type Logger, pino } from 'pino';
import { AggregatorRegistry, Counter, collectDefaultMetrics, Gauge, Histogram, type MetricObject, Registry } from 'prom-client';
import type { Verdict } from './domain/judge/verdict.ts';
import type { Phase } from './domain/lifecycle/operation.ts';

/** What the activities of one cluster report as it happens. */
export interface ActivityMeter {
  verdict(kind: Verdict['kind']): void;
  /** From the verdict to the restored object, in milliseconds. */
  restored(ms: number): void;
  undoFailed(): void;
  /** Event time to arrival of the newest evidence, in milliseconds. */
  evidenceLag(ms: number): void;
}

/** Operations of one cluster as the bot sees them in one look. */
export interface OperationsSeen {
  readonly byPhase: Readonly<Partial<Record<Phase, number>>>;
  /** Changed something, and no worker answers for them. */
  readonly unwatched: number;
  readonly undoFailing: number;
  /** Age of the oldest gate that is open, in milliseconds. */
  readonly gateAgeMs: number;
}

/** The metrics of one thread as plain data. */
export type MetricsSnapshot = readonly MetricObject[];

export interface Telemetry {
  readonly log: Logger;
  /** All metrics in Prometheus' text format; `others`: those of another thread of this process, added to them. */
  metrics(others?: MetricsSnapshot): Promise<string>;
  snapshot(): Promise<MetricsSnapshot>;
  readonly contentType: string;
  acked(what: 'command' | 'click', ms: number): void;
  refused(code: string): void;
  /** Slack answered 429 to a question of who somebody is. */
  slackLimited(method: string): void;
  auditFailed(): void;
  /** An error that nobody caught. */
  unhandled(kind: 'rejection' | 'exception'): void;
  /** `kind`: an OutcomeKind. */
  ended(cluster: string, kind: string): void;
  seen(cluster: string, operations: OperationsSeen): void;
  activities(cluster: string): ActivityMeter;
}

const PHASES: readonly Phase[] = ['planning', 'waiting', 'applying', 'watching', 'holding', 'afterwatch', 'restoring'];

interface TelemetryOptions {
  readonly level: string;
  readonly component: string;
  /** False: without the numbers of the process itself, which another thread of it gives. */
  readonly process?: boolean;
}

export function createTelemetry(options: TelemetryOptions): Telemetry {
  const registry = new Registry();
  if (options.process !== false) collectDefaultMetrics({ register: registry, prefix: 'meshops_' });
  const m = metricsIn(registry);
  return {
    log: createLog(options),
    metrics: async (others) => {
      if (!others) return registry.metrics();
      return AggregatorRegistry.aggregate([[...others], await registry.getMetricsAsJSON()]).metrics();
    },
    snapshot: () => registry.getMetricsAsJSON(),
    contentType: registry.contentType,
    acked: (what, ms) => m.ack.observe({ what }, ms / 1000),
    refused: (code) => m.refused.inc({ code }),
    slackLimited: (method) => m.limited.inc({ method }),
    auditFailed: () => m.auditFailures.inc(),
    unhandled: (kind) => m.unhandled.inc({ kind }),
    ended: (cluster, outcome) => m.ended.inc({ cluster, outcome }),
    seen: (cluster, operations) => {
      for (const phase of PHASES) m.operations.set({ cluster, phase }, operations.byPhase[phase] ?? 0);
      m.unwatched.set({ cluster }, operations.unwatched);
      m.undoFailing.set({ cluster }, operations.undoFailing);
      m.gateAge.set({ cluster }, operations.gateAgeMs / 1000);
    },
    activities: (cluster) => ({
      verdict: (kind) => m.verdicts.inc({ cluster, kind }),
      restored: (ms) => m.restore.observe({ cluster }, ms / 1000),
      undoFailed: () => m.undoFailures.inc({ cluster }),
      evidenceLag: (ms) => m.lag.set({ cluster }, ms / 1000),
    }),
  };
}

/** JSON lines on stdout. What could hold a secret is cut out, whoever logs it. */
function createLog({ level, component }: TelemetryOptions): Logger {
  const secret = ['token', 'authorization', 'headers.authorization', 'config.token', 'password', 'connectionString'];
  return pino({
    level,
    base: { component },
    redact: { paths: [...secret, ...secret.map((path) => `*.${path}`), ...secret.map((path) => `err.${path}`)], remove: true },
    timestamp: pino.stdTimeFunctions.isoTime,
  });
}

function metricsIn(registry: Registry) {
  const registers = [registry];
  const cluster = ['cluster'] as const;
  const gauge = <T extends string>(name: string, help: string, labelNames: readonly T[]): Gauge<T> =>
    new Gauge({ name: `meshops_${name}`, help, labelNames: [...labelNames], registers });
  const counter = <T extends string>(name: string, help: string, labelNames: readonly T[]): Counter<T> =>
    new Counter({ name: `meshops_${name}`, help, labelNames: [...labelNames], registers });
  const histogram = <T extends string>(name: string, help: string, labelNames: readonly T[], buckets: number[]): Histogram<T> =>
    new Histogram({ name: `meshops_${name}`, help, labelNames: [...labelNames], buckets, registers });
  return {
    operations: gauge('operations', 'Running operations by phase', [...cluster, 'phase']),
    unwatched: gauge('unwatched_operations', 'Operations in force for which no worker answers', cluster),
    undoFailing: gauge('undo_failing', 'Operations whose undo keeps failing now', cluster),
    gateAge: gauge('gate_age_seconds', 'Age of the oldest open gate', cluster),
    lag: gauge('evidence_lag_seconds', 'Event time to arrival of the newest evidence', cluster),
    ended: counter('operations_ended_total', 'Operations that are over, by outcome', [...cluster, 'outcome']),
    verdicts: counter('verdicts_total', 'Verdicts by kind', [...cluster, 'kind']),
    undoFailures: counter('undo_failures_total', 'Attempts of an undo that failed', cluster),
    refused: counter('refused_requests_total', 'Requests and clicks that were refused, by code', ['code']),
    limited: counter('slack_rate_limited_total', 'Answers 429 of Slack to questions of who somebody is', ['method']),
    unhandled: counter('unhandled_errors_total', 'Errors that nobody caught', ['kind']),
    auditFailures: counter('audit_write_failures_total', 'Audit records that could not be written at the first try', []),
    restore: histogram(
      'restore_seconds',
      'From a harmful verdict to everything put back',
      cluster,
      [0.05, 0.1, 0.25, 0.5, 1, 2, 5, 15, 60],
    ),
    ack: histogram('ack_seconds', 'From a request of Slack to its acknowledgement', ['what'], [0.05, 0.1, 0.25, 0.5, 1, 1.5, 2, 2.5, 3]),
  };
}
