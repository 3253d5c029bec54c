/** Calls about one operation go one after the other, within this process. */
interface Lanes {
  /** Runs the work after whatever this operation has under way. */
  run<T>(opId: string, work: () => Promise<T>): Promise<T>;
  isBusy(opId: string): boolean;
}

export function createLanes(): Lanes {
  const running = new Map<string, Promise<unknown>>();
  return {
    async run(opId, work) {
      const before = running.get(opId);
      const mine = before ? before.then(work, work) : work();
      running.set(opId, mine);
      try {
        return await mine;
      } finally {
        if (running.get(opId) === mine) running.delete(opId);
      }
    },
    isBusy: (opId) => running.has(opId),
  };
}
