// The thread that works on files of people. It may be ended at any moment.
import { parentPort } from 'node:worker_threads';
import { TASKS, type TaskName } from './tasks.ts';

export interface TaskMessage {
  readonly id: number;
  readonly name: TaskName;
  readonly input: never;
}

export type TaskReply =
  | { readonly id: number; readonly ok: true; readonly output: unknown }
  | { readonly id: number; readonly ok: false; readonly words: string };

parentPort?.on('message', ({ id, name, input }: TaskMessage) => {
  let reply: TaskReply;
  try {
    reply = { id, ok: true, output: TASKS[name](input) };
  } catch (error) {
    reply = { id, ok: false, words: error instanceof Error ? (error.stack ?? error.message) : String(error) };
  }
  parentPort?.postMessage(reply);
});
