/** East-west traffic: pods call each other by name over real TCP and HTTP, each connection decided first. */
import type { Random } from '../random.ts';
import type { Caller, CallOutcome } from './caller.ts';
import { type Hop, hopName } from './demo-hops.ts';
import type { Directory } from './directory.ts';
import { type Party, podParty, worldParty } from './party.ts';

export interface HopsOptions {
  readonly directory: Directory;
  readonly caller: Pick<Caller, 'call'>;
  readonly hops: readonly Hop[];
  readonly connectionsPerSecond: number;
  readonly random: Random;
  /** Told of what went wrong here and nowhere else. */
  readonly onError: (error: unknown) => void;
}

export interface HopCounts {
  readonly attempted: number;
  /** No packet came through, DNS included, or a proxy refused the request. */
  readonly denied: number;
  readonly answered: number;
  readonly failed: number;
}

export interface Hops {
  /** By `<namespace>/<app> -> <service>`. */
  readonly counts: Readonly<Record<string, HopCounts>>;
  stop(): void;
}

const countOf = {
  answered: 'answered',
  refused: 'denied',
  dropped: 'denied',
  unresolved: 'denied',
  failed: 'failed',
} as const satisfies Record<CallOutcome, keyof HopCounts>;

const pick = <T>(list: readonly T[], random: Random): T | undefined => list[Math.floor(random() * list.length)];

/** Starts the hops; they end by `stop`. */
export function startHops(options: HopsOptions): Hops {
  const { directory, caller, random } = options;
  const counts: Record<string, { -readonly [K in keyof HopCounts]: number }> = {};
  let timer: NodeJS.Timeout | undefined;

  const sourceOf = ({ from }: Hop): Party | undefined => {
    if ('world' in from) return worldParty(from.world);
    const pod = pick(directory.readyPods(from.namespace, { app: from.app }), random);
    return pod && podParty(pod);
  };

  const attempt = async (hop: Hop): Promise<void> => {
    const source = sourceOf(hop);
    // Nobody there to call: not an attempt.
    if (!source || (hop.to.includes('/') && directory.behind(hop.to).length === 0)) return;
    const name = hopName(hop);
    const count = (counts[name] ??= { attempted: 0, denied: 0, answered: 0, failed: 0 });
    count.attempted += 1;
    const outcome = await caller.call({ name, source, to: hop.to, http: { path: pick(hop.paths, random) ?? '/' } });
    count[countOf[outcome]] += 1;
  };

  const choose = (): Hop | undefined => {
    let dice = random() * options.hops.reduce((sum, hop) => sum + hop.share, 0);
    return options.hops.find((hop) => {
      dice -= hop.share;
      return dice < 0;
    });
  };

  const next = (): void => {
    const hop = choose();
    if (hop) attempt(hop).catch(options.onError);
    timer = setTimeout(next, (-Math.log(1 - random()) / options.connectionsPerSecond) * 1_000);
  };
  if (options.connectionsPerSecond > 0) next();

  return { counts, stop: () => clearTimeout(timer) };
}
