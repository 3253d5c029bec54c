/** East-west traffic: pods connect to the Services of other namespaces over real TCP and HTTP, each attempt decided first. */
import { request } from 'node:http';
import { isReady, selects } from '../kube/types.ts';
import type { PodBook, PodFacts } from '../pod-book.ts';
import type { Random } from '../random.ts';
import type { World } from '../world.ts';
import type { Connection } from './decision.ts';
import type { Hop } from './demo-hops.ts';
import { podParty } from './party.ts';
import type { Wire } from './wire.ts';

export interface HopsOptions {
  readonly world: World;
  readonly book: PodBook;
  readonly wire: Wire;
  readonly hops: readonly Hop[];
  readonly connectionsPerSecond: number;
  readonly random: Random;
  /** Told of what went wrong here and nowhere else. */
  readonly onError: (error: unknown) => void;
}

export interface HopCounts {
  readonly attempted: number;
  readonly denied: number;
  readonly answered: number;
  readonly failed: number;
}

export interface Hops {
  /** By `<namespace>/<app> -> <service>`. */
  readonly counts: Readonly<Record<string, HopCounts>>;
  stop(): void;
}

const patienceMs = 2_000;

const call = (port: number, onEnd: (answered: boolean) => void): void => {
  let answered = false;
  const outgoing = request({ host: '127.0.0.1', port, path: '/', agent: false, timeout: patienceMs }, (response) => {
    answered = true;
    response.resume();
  });
  outgoing.on('timeout', () => outgoing.destroy(new Error('no answer in time')));
  // Refused and reset connections are the demo's faults at work; the count says so.
  outgoing.on('error', () => undefined);
  outgoing.on('close', () => onEnd(answered));
  outgoing.end();
};

const pick = <T>(list: readonly T[], random: Random): T | undefined => list[Math.floor(random() * list.length)];

/** Starts the hops; they end by `stop`. */
export const startHops = (options: HopsOptions): Hops => {
  const { world, book, random } = options;
  const counts: Record<string, { attempted: number; denied: number; answered: number; failed: number }> = {};
  let timer: NodeJS.Timeout | undefined;

  const readyPods = (wanted: Readonly<Record<string, string>> | undefined, namespace: string): readonly PodFacts[] =>
    [...world.pods.objects.values()]
      .filter((pod) => pod.metadata.namespace === namespace && isReady(pod) && selects(wanted, pod.metadata.labels))
      .flatMap((pod) => book.get(`${namespace}/${pod.metadata.name}`) ?? []);

  const connectionOf = (hop: Hop): Connection | undefined => {
    const service = world.services.objects.get(hop.to);
    const source = pick(readyPods({ app: hop.from.app }, hop.from.namespace), random);
    const destination = service && pick(readyPods(service.spec.selector, service.metadata.namespace ?? ''), random);
    if (!source || !destination) return undefined;
    const sourcePort = 32_768 + Math.floor(random() * 28_000);
    return { source: podParty(source), destination: podParty(destination), sourcePort, port: destination.containerPort, protocol: 'TCP' };
  };

  const attempt = async (hop: Hop): Promise<void> => {
    const connection = connectionOf(hop);
    if (!connection) return;
    const name = `${hop.from.namespace}/${hop.from.app} -> ${hop.to}`;
    const count = (counts[name] ??= { attempted: 0, denied: 0, answered: 0, failed: 0 });
    count.attempted += 1;
    const opened = await options.wire.open(connection, name);
    if (!opened) {
      count.denied += 1;
      return;
    }
    call(opened.connection.destination.pod?.localPort ?? 0, (answered) => {
      if (answered) count.answered += 1;
      else count.failed += 1;
    });
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
};
