import { formatDuration } from '../domain/duration.ts';
import type { TemporalAddress } from '../temporal/connection.ts';
import { connectClient } from '../temporal/connection.ts';
import type { Check, Remark } from './checks.ts';

const CONNECT_MS = 4_000;
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
  ];
}

interface Told {
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
    return await work({ address, namespace, version: serverVersion || 'of unknown version', retentionMs });
  } finally {
    await close();
  }
}

/** How long the server remembers what is over. */
export function retentionWords(ms: number | undefined): string | Remark {
  if (ms === undefined || ms === 0) return 'the server does not say how long it keeps what is over';
  if (ms >= LEAST_RETENTION_MS) return `what is over is kept for ${formatDuration(ms)}`;
  const words = `what is over is kept for ${formatDuration(ms)} only: how a run ended cannot be told after that`;
  return { words, todo: 'Set the retention of the namespace to 3 days or more (temporal operator namespace update --retention 72h).' };
}
