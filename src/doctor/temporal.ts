import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Client } from '@temporalio/client';
import { formatDuration } from '../domain/words/duration.ts';
import { connectClient, type TemporalAddress } from '../temporal/connection.ts';
import type { Check, Remark } from './checks.ts';
import { apartWords } from './clock.ts';

const CONNECT_MS = 4_000;
/** temporal.api.enums.v1.TaskQueueType */
const ACTIVITIES = 2;
/** What became of a run must be known for as long as people may come back to it over a weekend. */
const LEAST_RETENTION_MS = 3 * 86_400_000;

/** The server and its namespace; `where` reads files that may be missing. */
export function temporalChecks(where: () => TemporalAddress): readonly Check[] {
  const todo = 'Check `temporal` in meshops.yaml: address, namespace, tls, and TEMPORAL_API_KEY.';
  return [
    {
      name: 'Temporal',
      todo,
      look: async () => ask(where(), async ({ version, address, namespace }) => `${address}, server ${version}, namespace ${namespace}`),
    },
    {
      name: "Temporal's retention",
      todo: 'Look at the line of Temporal first.',
      look: async () => ask(where(), async ({ retentionMs }) => retentionWords(retentionMs)),
    },
    {
      name: "Temporal's clock",
      todo: 'Look at the line of Temporal first.',
      look: async () => ask(where(), ({ client, namespace }) => clockOf(client, namespace)),
    },
  ];
}

interface Told {
  readonly client: Client;
  readonly address: string;
  readonly namespace: string;
  readonly version: string;
  readonly retentionMs: number | undefined;
}

async function ask<T>(where: TemporalAddress, work: (told: Told) => Promise<T>): Promise<T> {
  const { address, namespace } = where;
  const { client, close } = await connectClient(where, undefined, CONNECT_MS);
  try {
    const { workflowService } = client.connection;
    const { serverVersion } = await workflowService.getSystemInfo({});
    const described = await workflowService.describeNamespace({ namespace }).catch((error: unknown) => {
      throw new Error(`has no namespace "${namespace}", or this one may not be read`, { cause: error });
    });
    const seconds = described.config?.workflowExecutionRetentionTtl?.seconds;
    const retentionMs = seconds === undefined || seconds === null ? undefined : Number(seconds) * 1_000;
    return await work({ client, address, namespace, version: serverVersion || 'of unknown version', retentionMs });
  } finally {
    await close();
  }
}

/** A queue that nobody works for. The server answers no poll of it, but says when it has come. */
const QUEUE = 'meshops-doctor';
const POLL_MS = 4_000;
const LOOK_EVERY_MS = 50;

/**
 * What time the server has. Nothing that it can be asked says so, but it notes when a poller was last there, by its own clock. Commands are valid
 * for a minute by the bot's clock, and Temporal's decides whether they still are.
 */
async function clockOf(client: Client, namespace: string): Promise<string | Remark> {
  const { workflowService } = client.connection;
  const identity = `meshops doctor ${randomUUID()}`;
  const taskQueue = { name: QUEUE };
  const stop = new AbortController();
  const sentAt = Date.now();
  const until = sentAt + POLL_MS;
  const polled = client
    .withAbortSignal(stop.signal, () =>
      client.withDeadline(until, () => workflowService.pollActivityTaskQueue({ namespace, taskQueue, identity })),
    )
    .catch(() => undefined);
  try {
    while (Date.now() < until) {
      const { pollers } = await workflowService.describeTaskQueue({ namespace, taskQueue, taskQueueType: ACTIVITIES });
      const at = pollers?.find((one) => one.identity === identity)?.lastAccessTime;
      if (at) return apartWords('Temporal', Number(at.seconds) * 1_000 + (at.nanos ?? 0) / 1e6, { sentAt, heardAt: Date.now() });
      await sleep(LOOK_EVERY_MS);
    }
    return 'Temporal does not say its time';
  } finally {
    stop.abort();
    await polled;
  }
}

/** How long the server remembers what is over. */
export function retentionWords(ms: number | undefined): string | Remark {
  if (ms === undefined || ms === 0) return 'the server does not say how long it keeps what is over';
  if (ms >= LEAST_RETENTION_MS) return `what is over is kept for ${formatDuration(ms)}`;
  const words = `what is over is kept for ${formatDuration(ms)} only: how a run ended cannot be told after that`;
  return { words, todo: 'Set the retention of the namespace to 3 days or more (temporal operator namespace update --retention 72h).' };
}
