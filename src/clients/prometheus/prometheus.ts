import * as z from 'zod';
import { send } from '../../net/request.ts';
import { createAccess, type Prepared, type PrometheusAccess } from './access.ts';

/** One value of one series. `at` epoch ms. */
export interface Sample {
  readonly labels: Readonly<Record<string, string>>;
  readonly at: number;
  readonly value: number;
}

export interface Series {
  readonly labels: Readonly<Record<string, string>>;
  readonly points: readonly { readonly at: number; readonly value: number }[];
}

/** A Prometheus server, asked over its HTTP API. Every call has a deadline and throws `PrometheusFailure`. */
export interface Prometheus {
  /** The value of each series now, or at `at`. */
  instant(query: string, options: { readonly signal: AbortSignal; readonly at?: number }): Promise<readonly Sample[]>;
  /** Values of each series from `from` to `to`, one every `stepMs`. Counters are as they are: resets show as falls. */
  range(
    query: string,
    options: { readonly from: number; readonly to: number; readonly stepMs: number; readonly signal: AbortSignal },
  ): Promise<readonly Series[]>;
}

/** Prometheus did not answer, or not as it should. */
export class PrometheusFailure extends Error {
  override readonly name = 'PrometheusFailure' as const;
}

const Labels = z.record(z.string(), z.string());
const Point = z.tuple([z.number(), z.string()]);
const Answer = z.discriminatedUnion('status', [
  z.object({
    status: z.literal('success'),
    data: z.discriminatedUnion('resultType', [
      z.object({ resultType: z.literal('vector'), result: z.array(z.object({ metric: Labels, value: Point })) }),
      z.object({ resultType: z.literal('matrix'), result: z.array(z.object({ metric: Labels, values: z.array(Point) })) }),
    ]),
  }),
  z.object({ status: z.literal('error'), error: z.string() }),
]);
type Data = Extract<z.infer<typeof Answer>, { status: 'success' }>['data'];

/** `url`: root of the server; a path before `/api/v1` is kept. */
export interface PrometheusOptions extends PrometheusAccess {
  readonly deadlineMs?: number;
}

/** Nothing is sent before the first question. */
export function connectPrometheus({ deadlineMs = 2_000, ...access }: PrometheusOptions): Prometheus {
  const { url } = access;
  const prepare = createAccess(access);
  const root = url.endsWith('/') ? url : `${url}/`;
  const ask = async (path: string, parameters: Readonly<Record<string, string>>, signal: AbortSignal): Promise<Data> => {
    const bounded = AbortSignal.any([signal, AbortSignal.timeout(deadlineMs)]);
    const answer = await post(new URL(`api/v1/${path}`, root), parameters, prepare, bounded);
    signal.throwIfAborted();
    if (answer.status === 'error') throw new PrometheusFailure(`Prometheus refused the query: ${answer.error}`);
    return answer.data;
  };
  return {
    async instant(query, { signal, at }) {
      const data = await ask('query', { query, ...(at !== undefined && { time: seconds(at) }) }, signal);
      if (data.resultType !== 'vector')
        throw new PrometheusFailure(`Prometheus answered with a ${data.resultType} where values were asked for`);
      return data.result.map(({ metric, value: [time, value] }) => ({ labels: metric, at: time * 1_000, value: Number(value) }));
    },
    async range(query, { from, to, stepMs, signal }) {
      const data = await ask('query_range', { query, start: seconds(from), end: seconds(to), step: String(stepMs / 1_000) }, signal);
      if (data.resultType !== 'matrix')
        throw new PrometheusFailure(`Prometheus answered with a ${data.resultType} where series were asked for`);
      return data.result.map(({ metric, values }) => ({
        labels: metric,
        points: values.map(([time, value]) => ({ at: time * 1_000, value: Number(value) })),
      }));
    },
  };
}

async function post(
  url: URL,
  parameters: Readonly<Record<string, string>>,
  prepare: () => Promise<Prepared>,
  signal: AbortSignal,
): Promise<z.infer<typeof Answer>> {
  const { agent, headers } = await prepare().catch((error: Error) => {
    throw new PrometheusFailure(error.message, { cause: error });
  });
  let body: unknown;
  try {
    // As a form: a query over many names may be longer than a URL may be.
    const form = { ...headers, 'content-type': 'application/x-www-form-urlencoded' };
    const sent = new URLSearchParams(parameters).toString();
    const answer = await send({ url, method: 'POST', headers: form, body: sent, agent, signal, mostBytes: MOST_BYTES });
    if (answer.status === 401 || answer.status === 403) throw new Error(`it refuses this login (${answer.status})`);
    body = JSON.parse(answer.body.toString('utf8'));
  } catch (error) {
    const { cause, message } = error as Error;
    throw new PrometheusFailure(`Prometheus does not answer: ${cause instanceof Error ? cause.message : message}`, { cause: error });
  }
  const parsed = Answer.safeParse(body);
  if (!parsed.success) throw new PrometheusFailure('Prometheus answered with something that is not its API', { cause: parsed.error });
  return parsed.data;
}

const MOST_BYTES = 64 * 1024 * 1024;

function seconds(ms: number): string {
  return (ms / 1_000).toFixed(3);
}
