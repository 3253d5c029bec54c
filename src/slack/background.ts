import type { BotDeps } from './deps.ts';

/** Work that an answer does not wait for. What fails, or finds no room, is logged with `lost`: nobody else would hear of it. */
export function inBackground(deps: Pick<BotDeps, 'inFlight' | 'log'>, lost: string, work: () => Promise<unknown>): void {
  const done = deps.inFlight.track(work);
  if (done) done.catch((error: unknown) => deps.log.error({ err: error }, lost));
  else deps.log.error({ underWay: deps.inFlight.size }, `${lost}: too much is under way`);
}
