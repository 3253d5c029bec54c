/** How pods resolve names: a datagram to a DNS pod on port 53, decided as any other, and a short memory. */
import { setTimeout as wait } from 'node:timers/promises';
import type { PodFacts } from '../pod-book.ts';
import type { Random } from '../random.ts';
import { type Connection, isAllowed, whyOf } from './decision.ts';
import type { Directory, Name } from './directory.ts';
import { dnsFlows, proxiesOf } from './l7-flows.ts';
import { podParty } from './party.ts';
import { proxyAnswer } from './traces.ts';
import type { Wire } from './wire.ts';

export interface Resolver {
  /** Whether the name is known to the pod, after a lookup if need be; `who` names the caller in the record. */
  lookup(pod: PodFacts, name: Name, who: string): Promise<boolean>;
  /** `true`: the DNS pods answer SERVFAIL. */
  fail(on: boolean): void;
}

export interface ResolverOptions {
  readonly directory: Directory;
  readonly wire: Wire;
  readonly random: Random;
  readonly now: () => number;
  readonly signal: AbortSignal;
}

/** The DNS of the cluster. */
export const dnsService: Name = 'kube-system/kube-dns';
const dnsPort = 53;
const ttlSeconds = 10;
// A resolver asks again after this, once, then gives up.
const againMs = 1_000;
const tries = 2;
const servfail = 2;
const noSuchName = 3;

/** A resolver shared by all pods, with a memory for each. */
export function createResolver(options: ResolverOptions): Resolver {
  const { directory, wire, random, now, signal } = options;
  const known = new Map<string, number>();
  const asking = new Map<string, Promise<boolean>>();
  let failing = false;

  const ask = (connection: Connection, name: Name, who: string): boolean | undefined => {
    const host = directory.hostOf(name);
    const decision = wire.send(connection, who, { dns: { query: `${host}.` } });
    if (decision.egress?.verdict === 'DROPPED' || decision.ingress?.verdict === 'DROPPED') return undefined;
    // Without a policy with a rule for names no agent sees them.
    const proxies = proxiesOf(connection, decision, 'dns');
    const ips = failing ? [] : directory.addressesOf(name);
    const rcode = failing ? servfail : ips.length > 0 ? 0 : noSuchName;
    wire.report(dnsFlows(connection, proxies, host, { ips, ttl: ttlSeconds, rcode }, wire.stamp()));
    if (decision.egress?.proxy) wire.report(proxyAnswer(connection, wire.stamp()));
    else wire.packets(connection, [{ flags: [], reason: 'REPLY' }]);
    if (!isAllowed(decision)) {
      wire.record(connection, { allowed: false, what: 'request', why: whyOf(decision), name: who });
      return false;
    }
    if (proxies.length > 0 && ips.length > 0) directory.learn(host);
    return ips.length > 0;
  };

  const resolve = async (pod: PodFacts, name: Name, who: string): Promise<boolean> => {
    for (let attempt = 0; attempt < tries && !signal.aborted; attempt += 1) {
      if (attempt > 0) await wait(againMs, undefined, { signal }).catch(() => undefined);
      const found = directory.find(dnsService);
      const sourcePort = 32_768 + Math.floor(random() * 28_000);
      const source = podParty(pod);
      const answer = found && ask({ source, destination: found.party, sourcePort, port: dnsPort, protocol: 'UDP' }, name, who);
      if (answer !== undefined) return answer;
    }
    return false;
  };

  return {
    fail: (on) => {
      failing = on;
      known.clear();
    },
    lookup: async (pod, name, who) => {
      const key = `${pod.key} ${name}`;
      if ((known.get(key) ?? 0) > now()) return true;
      const under = asking.get(key) ?? resolve(pod, name, who).finally(() => asking.delete(key));
      asking.set(key, under);
      const answer = await under;
      // DNS may have begun to fail while this answer was on its way.
      if (answer && !failing) known.set(key, now() + ttlSeconds * 1_000);
      else known.delete(key);
      return answer;
    },
  };
}
