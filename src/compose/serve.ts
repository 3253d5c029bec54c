// `meshops run`, `bot` and `worker`: everything up in order, everything down in order.
import { sql } from 'kysely';
import { createRequests } from '../audit/requests.ts';
import type { Environment } from '../config/environment.ts';
import { type HttpServer, type ReadyCheck, serveHttp } from '../http.ts';
import { lostOn } from '../slack/lost.ts';
import { installRuntime } from '../temporal/runtime.ts';
import { type Beside, type BotThread, startBotThread } from './beside.ts';
import { composeBot, type RunningBot } from './bot.ts';
import { type Foundation, layFoundation } from './foundation.ts';
import { monitor } from './monitor.ts';
import { followRules } from './rules.ts';
import { hearUnhandled } from './unhandled.ts';
import { type RunningWorkers, startWorkers } from './workers.ts';

interface ServeOptions {
  readonly environment: Environment;
  readonly configPath: string;
  readonly bot: boolean;
  readonly worker: boolean;
  /** Only this cluster's worker. */
  readonly cluster?: string;
  /** The wish to stop: everything is brought down in order. */
  readonly signal: AbortSignal;
  /** The workers in another thread of this process. */
  readonly beside?: Beside;
}

/** How long work that goes on after an answer may take at the end. Milliseconds. */
const DRAIN_MS = 8_000;
const FORGET_EVERY_MS = 3_600_000;
const FORGET_AFTER_MS = 7 * 24 * 3_600_000;

/** Runs until the signal aborts or a worker breaks. Rejects in the second case, after everything was closed. */
export async function serve(options: ServeOptions): Promise<void> {
  const isBoth = options.bot && options.worker;
  const component = isBoth || options.beside ? 'run' : options.bot ? 'bot' : 'worker';
  const ending = new AbortController();
  const on = await layFoundation({ ...options, component, signal: ending.signal });
  const { log } = on.telemetry;
  const unhandled = hearUnhandled({ log, count: (kind) => on.telemetry.unhandled(kind), now: on.now });
  let bot: RunningBot | undefined;
  let workers: RunningWorkers | undefined;
  let thread: BotThread | undefined;
  let http: HttpServer | undefined;
  try {
    if (options.worker) installRuntime(log, options.environment.temporalMetrics);
    if (options.worker) workers = await startWorkers(on, options.cluster);
    const { environment, configPath } = options;
    const beside: Beside = { ready: workers?.ready ?? [], metrics: () => on.telemetry.snapshot() };
    if (isBoth) thread = startBotThread({ environment, configPath }, beside);
    else if (options.bot) bot = await composeBot(on, options.beside ? 'run' : 'bot');
    if (!isBoth) http = await openHttp(on, { ready: [...(workers?.ready ?? []), ...(bot?.ready ?? [])], bot, beside: options.beside });
    await bot?.bot.start();
    const background = Promise.all([
      ...(bot ? [monitor(monitorDeps(on, bot), ending.signal)] : []),
      ...(bot ? [forget(on, ending.signal)] : []),
      ...(bot ? [followRules(on, ending.signal)] : []),
      ...(workers ? [workers.reconcile(ending.signal)] : []),
    ]);
    if (http) log.info({ port: http.port, metricsPort: http.metricsPort }, 'meshops ready');
    const ends = [...(workers ? [workers.running] : []), ...(thread ? [thread.running] : [])];
    await Promise.race([untilAborted(options.signal), unhandled.fatal, ...ends]);
    log.info({}, 'stopping');
    ending.abort();
    await background;
  } finally {
    ending.abort();
    await bringDown(on, { bot, workers, thread, http });
    unhandled.stop();
  }
}

async function bringDown(
  on: Foundation,
  parts: {
    readonly bot: RunningBot | undefined;
    readonly workers: RunningWorkers | undefined;
    readonly thread: BotThread | undefined;
    readonly http: HttpServer | undefined;
  },
): Promise<void> {
  const { log } = on.telemetry;
  const step = async (name: string, work: () => Promise<unknown> | undefined): Promise<void> => {
    try {
      await work();
    } catch (error) {
      log.error({ err: error, step: name }, 'a step of the shutdown broke; the next ones follow');
    }
  };
  parts.http?.retire();
  await step('bot', () => parts.thread?.stop());
  await step('slack', () => parts.bot?.bot.stop());
  await step('drain', async () => {
    const left = (await parts.bot?.drain(DRAIN_MS)) ?? 0;
    if (left > 0) log.warn({ left }, 'answers were still owed when the time to stop was over');
  });
  await step('workers', () => parts.workers?.stop());
  await step('http', () => parts.http?.close());
  await step('connections', () => on.close());
  log.info({}, 'stopped');
}

interface HttpOf {
  readonly ready: readonly ReadyCheck[];
  readonly bot: RunningBot | undefined;
  readonly beside: Beside | undefined;
}

function openHttp(on: Foundation, { ready, bot, beside }: HttpOf): Promise<HttpServer> {
  const database: ReadyCheck = {
    name: 'database',
    isReady: async () => {
      await sql`select 1`.execute(on.database);
      return true;
    },
  };
  return serveHttp({
    ...on.config.current().http,
    ready: [database, ...(beside?.ready ?? []), ...ready],
    metrics: async () => on.telemetry.metrics(await beside?.metrics()),
    contentType: on.telemetry.contentType,
    slack: bot?.bot.listener,
  });
}

function monitorDeps(on: Foundation, bot: RunningBot): Parameters<typeof monitor>[0] {
  return {
    operations: bot.operations,
    lost: async () => (await lostOn({ audit: on.audit, operations: bot.operations })).map(({ known }) => known.target),
    clusters: () => Object.keys(on.config.current().clusters),
    seen: (cluster, operations) => on.telemetry.seen(cluster, operations),
    now: on.now,
    log: on.telemetry.log,
  };
}

/** Old request ids are of no use: a signature is taken for five minutes only. */
async function forget(on: Foundation, signal: AbortSignal): Promise<void> {
  const requests = createRequests(on.database);
  while (!signal.aborted) {
    await requests.forget(on.now() - FORGET_AFTER_MS).catch((error: unknown) => {
      on.telemetry.log.warn({ err: error }, 'old request ids could not be forgotten');
    });
    await pause(FORGET_EVERY_MS, signal);
  }
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve();
    const timer = setTimeout(resolve, ms);
    signal.addEventListener('abort', () => (clearTimeout(timer), resolve()), { once: true });
  });
}

function untilAborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
}
