// What time the nodes have, by what their agents tell.
import { type GetFlowsResponse, millisecondsOf } from '../clients/hubble/flow.ts';
import type { Observer } from '../clients/hubble/observer.ts';
import type { Remark } from './checks.ts';
import { TODO as CLOCKS } from './clock.ts';

/** A watch takes events that are later than this for out of sight (ms). */
const AHEAD_MS = 2_000;
const BEHIND_MS = 2_000;
const CALL_MS = 5_000;
/** So long it is listened to what happens now (ms), and from so few events nothing is concluded: an agent keeps its newest one back until the next comes. */
const LISTEN_MS = 2_500;
const LEAST_EVENTS = 5;

/** How far the newest event of an agent lies in the future (ms); 0 within two seconds. Rejects when the agent does not answer. */
export function aheadOf(observer: Pick<Observer, 'flows'>, now: number): Promise<number> {
  return new Promise((resolve, reject) => {
    let ahead = 0;
    const heard = ({ flow }: GetFlowsResponse): void => void (ahead = Math.max(ahead, millisecondsOf(flow?.time) - now));
    const late = setTimeout(() => {
      stream.cancel();
      reject(new Error('no answer in time'));
    }, CALL_MS);
    const stream = observer.flows({ follow: false, since: now + AHEAD_MS, whitelist: [] }, heard, (reason) => {
      clearTimeout(late);
      if (reason === undefined) resolve(ahead < AHEAD_MS ? 0 : ahead);
      else reject(new Error(reason));
    });
  });
}

/**
 * How old all that an agent tells live is, at least (ms): 0 within two seconds, and where too little happens on its node to say. Rejects when the
 * agent does not answer.
 */
export function behindOf(observer: Pick<Observer, 'flows'>, now: () => number, listenMs = LISTEN_MS): Promise<number> {
  return new Promise((resolve, reject) => {
    let events = 0;
    let youngest = Number.POSITIVE_INFINITY;
    const heard = ({ flow }: GetFlowsResponse): void => {
      const at = millisecondsOf(flow?.time);
      if (at === 0) return;
      events += 1;
      youngest = Math.min(youngest, now() - at);
    };
    const enough = setTimeout(() => {
      stream.cancel();
      resolve(events >= LEAST_EVENTS && youngest >= BEHIND_MS ? youngest : 0);
    }, listenMs);
    const stream = observer.flows({ follow: true, whitelist: [] }, heard, (reason) => {
      clearTimeout(enough);
      reject(new Error(reason ?? 'the agent ended its stream'));
    });
  });
}

interface NodeClock {
  readonly node: string;
  readonly aheadMs: number;
  readonly behindMs: number;
}

/** Which clocks are ahead, so that events would be judged too early, and which are behind: then a watch counts as of before what is of after. */
export function clocksWords(nodes: readonly NodeClock[]): string | Remark {
  const named = (what: string, of: (node: NodeClock) => number): readonly string[] => {
    const apart = nodes.filter((node) => of(node) > 0).toSorted((a, b) => of(b) - of(a));
    const some = apart.slice(0, MOST_NAMED).map((node) => `${node.node} by ${Math.round(of(node) / 1_000)} s`);
    return some.length === 0 ? [] : [`${what}: ${some.join(', ')}`];
  };
  const words = [
    ...named('ahead of this machine', ({ aheadMs }) => aheadMs),
    ...named('behind it, or their agents tell everything late', ({ behindMs }) => behindMs),
  ];
  return words.length === 0 ? 'no event comes from the future, and none late' : { words: words.join('; '), todo: CLOCKS };
}

const MOST_NAMED = 5;
