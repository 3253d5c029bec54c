import type { Log } from '../log.ts';
import type { InFlight } from '../temporal/in-flight.ts';

export interface Backgrounds {
  readonly inFlight: InFlight;
  readonly log: Log;
}

/** Work that an answer does not wait for. What fails, or finds no room, is logged with `lost`: nobody else would hear of it. */
export function inBackground(deps: Backgrounds, lost: string, work: () => Promise<unknown>): void {
  const done = deps.inFlight.track(work);
  if (done) done.catch((error: unknown) => deps.log.error({ err: error }, lost));
  else deps.log.error({ underWay: deps.inFlight.size }, `${lost}: too much is under way`);
}
