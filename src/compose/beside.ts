// `meshops run`: the bot in a thread of its own beside the workers, so that nothing that people send slows a fuse down.
import { Worker } from 'node:worker_threads';
import type { Environment } from '../config/environment.ts';
import type { ReadyCheck } from '../http.ts';
import type { MetricsSnapshot } from '../telemetry.ts';

/** What the bot's thread is started with. */
export interface BotThreadData {
  readonly environment: Environment;
  readonly configPath: string;
  /** Names of what must be well in the other thread. */
  readonly ready: readonly string[];
}

/** To the bot's thread. */
export type ToBot =
  | { readonly kind: 'stop' }
  | { readonly kind: 'ready'; readonly id: number; readonly well: readonly boolean[] }
  | { readonly kind: 'metrics'; readonly id: number; readonly snapshot: MetricsSnapshot };
/** From the bot's thread. */
export type FromBot =
  | { readonly kind: 'ask'; readonly what: 'ready' | 'metrics'; readonly id: number }
  | { readonly kind: 'ended'; readonly words?: string };

export interface BotThread {
  /** Resolves when the bot has ended; rejects with the sentence that says why it broke. */
  readonly running: Promise<void>;
  /** Brings the bot down in order. */
  stop(): Promise<void>;
}

/** What the bot's thread wants to know of the workers. */
export interface Beside {
  readonly ready: readonly ReadyCheck[];
  metrics(): Promise<MetricsSnapshot>;
}

export function startBotThread(data: Omit<BotThreadData, 'ready'>, beside: Beside): BotThread {
  const workerData: BotThreadData = { ...data, ready: beside.ready.map(({ name }) => name) };
  const thread = new Worker(new URL('./bot-thread.ts', import.meta.url), { workerData });
  const send = (message: ToBot): void => thread.postMessage(message);
  const running = new Promise<void>((resolve, reject) => {
    thread.on('message', (message: FromBot) => {
      if (message.kind === 'ask') void answer(message, beside, send);
      else if (message.words === undefined) resolve();
      else reject(new Error(message.words));
    });
    thread.on('error', reject);
    thread.on('exit', (code) => reject(new Error(`The bot's thread ended by itself (${code}).`)));
  });
  running.catch(() => {});
  return {
    running,
    stop: async () => {
      send({ kind: 'stop' });
      await running.catch(() => undefined);
      await thread.terminate();
    },
  };
}

async function answer({ what, id }: Extract<FromBot, { kind: 'ask' }>, beside: Beside, send: (message: ToBot) => void): Promise<void> {
  if (what === 'metrics') return send({ kind: 'metrics', id, snapshot: await beside.metrics().catch(() => []) });
  const well = await Promise.all(beside.ready.map(async ({ isReady }) => (async () => isReady())().catch(() => false)));
  send({ kind: 'ready', id, well });
}
