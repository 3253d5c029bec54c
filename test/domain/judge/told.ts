import type { Evidence, RequestEvidence } from '../../../src/domain/judge/evidence.ts';
import { START } from './traffic.ts';

/** One request, `start` in ms from START. */
export interface Request {
  readonly start: number;
  readonly canary: boolean;
  readonly failed: boolean;
  readonly latencyMs: number;
  readonly unsplit?: true;
  readonly client?: string;
}

/** As the reader tells them: each at its answer, with the age of the oldest that is open; of the canary also when it is asked. */
export function told(requests: readonly Request[]): readonly Evidence[] {
  const steps = requests
    .flatMap((request) => [
      { at: request.start, request, isAnswer: false },
      { at: request.start + request.latencyMs, request, isAnswer: true },
    ])
    .toSorted((a, b) => a.at - b.at);
  const open = new Set<Request>();
  return steps.flatMap(({ at, request, isAnswer }): Evidence[] => {
    const { canary, failed, latencyMs, start, unsplit, client } = request;
    if (!isAnswer) {
      open.add(request);
      return canary ? [{ kind: 'asked', at: START + at, seenAt: START + at }] : [];
    }
    open.delete(request);
    const [oldest] = open;
    const openMs = oldest ? Math.max(0, at - oldest.start) : 0;
    const side = canary ? 'canary' : 'stable';
    const event: RequestEvidence = {
      kind: 'request',
      at: START + at,
      seenAt: START + at,
      side,
      failed,
      latencyMs,
      id: '',
      startedAt: START + start,
      openMs,
    };
    return [{ ...event, ...(canary && { asked: true }), ...(unsplit && { unsplit }), ...(client && { client, path: '/' }) }];
  });
}

/** Poisson arrivals. */
export function* arrivals(random: () => number, perSecond: number, ms: number): Generator<number> {
  for (let at = 0; ; ) {
    at += (-Math.log(1 - random()) * 1_000) / perSecond;
    if (at >= ms) return;
    yield at;
  }
}
