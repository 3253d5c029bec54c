// The bot's thread of `meshops run`.
import { parentPort, workerData } from 'node:worker_threads';
import type { MetricsSnapshot } from '../telemetry.ts';
import type { Beside, BotThreadData, FromBot, ToBot } from './beside.ts';
import { serve } from './serve.ts';

const stopping = new AbortController();
const asked = new Map<number, (answer: never) => void>();
let ids = 0;

function tell(message: FromBot): void {
  parentPort?.postMessage(message);
}

function ask<Answer>(what: 'ready' | 'metrics'): Promise<Answer> {
  ids += 1;
  const id = ids;
  return new Promise((resolve) => {
    asked.set(id, resolve);
    tell({ kind: 'ask', what, id });
  });
}

parentPort?.on('message', (message: ToBot) => {
  if (message.kind === 'stop') return stopping.abort();
  const resolve = asked.get(message.id);
  asked.delete(message.id);
  resolve?.((message.kind === 'ready' ? message.well : message.snapshot) as never);
});

const { environment, configPath, ready } = workerData as BotThreadData;
const beside: Beside = {
  ready: ready.map((name, index) => ({ name, isReady: async () => (await ask<readonly boolean[]>('ready'))[index] ?? false })),
  metrics: () => ask<MetricsSnapshot>('metrics'),
};

try {
  await serve({ environment, configPath, bot: true, worker: false, signal: stopping.signal, beside });
  tell({ kind: 'ended' });
} catch (error) {
  tell({ kind: 'ended', words: error instanceof Error ? error.message : String(error) });
}
