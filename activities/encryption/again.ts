/** How long until the next run, by how long the last one took (ms): what costs much is done less often. */
type Pause = (tookMs: number) => number;

/** Runs it, waits, and runs it again until the signal ends it; what goes wrong is told and tried again. */
export function again(
  pause: Pause,
  signal: AbortSignal,
  run: () => Promise<void>,
  failed: (error: unknown) => void = () => undefined,
): void {
  const next = (): void => {
    if (signal.aborted) return;
    const startedAt = performance.now();
    run()
      .catch((error: unknown) => void (signal.aborted || failed(error)))
      .finally(() => {
        const timer = setTimeout(next, pause(performance.now() - startedAt));
        signal.addEventListener('abort', () => clearTimeout(timer), { once: true });
      });
  };
  next();
}
