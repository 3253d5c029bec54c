import type { Child, ChildOrder, Warden } from './warden.ts';

/** One part of the stack that a story may stop and start again, or make hang, at the same address. */
export type Component = {
  readonly name: string;
  readonly logFile: string;
  /** The process number while it runs. */
  pid(): number | undefined;
  /** Ends it (SIGTERM, then SIGKILL); nothing when it does not run. */
  stop(graceMs?: number): Promise<void>;
  /** Ends it at once, as a crash would. */
  crash(): Promise<void>;
  /** Starts it again with the data it had and waits until it is ready; nothing when it runs. */
  start(signal: AbortSignal): Promise<void>;
  /** Freezes it: connections stay open and nobody answers. */
  pause(): void;
  resume(): void;
};

/** Starts a component and gives the handle to restart it with the same order. */
export async function startComponent(warden: Warden, order: ChildOrder, signal: AbortSignal): Promise<Component> {
  let child: Child | undefined;
  const start = async (startSignal: AbortSignal): Promise<void> => {
    if (child !== undefined) return;
    const started = await warden.start({ ...order, signal: startSignal });
    child = started;
    void started.exited.then(() => {
      if (child === started) child = undefined;
    });
  };
  await start(signal);
  return {
    name: order.name,
    logFile: order.logFile,
    pid: () => child?.pid,
    stop: async (graceMs) => void (await child?.stop(graceMs)),
    crash: async () => void (await child?.stop(0)),
    start,
    pause: () => child?.kill('SIGSTOP'),
    resume: () => child?.kill('SIGCONT'),
  };
}
