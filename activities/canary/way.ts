// The way that requests of our own take to a canary: through the Gateway of its routes, as people's do.

import { type IncomingMessage, request } from 'node:http';
import { request as requestByTls } from 'node:https';
import type { Cluster } from '../../src/clients/kubernetes/cluster.ts';
import { GATEWAY, type Gateway, type ParentRef, type Route } from '../../src/clients/kubernetes/objects.ts';
import type { CanaryDetails } from '../../src/domain/canary/details.ts';
import { probeRequest } from '../../src/domain/canary/probe-request.ts';
import type { ProbeSettings } from '../watch/verb-steps.ts';
import { PROBE_HEADER } from './requests.ts';

export interface Way {
  readonly gateway: string;
  readonly url: string;
  readonly host: string;
  readonly method: string;
  readonly headers: Readonly<Record<string, string>>;
  /** What its flows may carry, beside the namespace, when they reach no pod. */
  readonly addresses: readonly string[];
}

const UNREACHABLE = 'no Gateway of these routes can be reached with a plain HTTP request';

/**
 * The first way on which a request of our own goes to a moved rule: through a listener that the route is attached to, with what the rule
 * matches. Else why there is none. Routes of gRPC are not probed: a plain request would match none of their rules.
 */
export async function wayIn(
  cluster: Cluster,
  { gateways }: Exclude<ProbeSettings, 'off'>,
  details: CanaryDetails,
  routes: readonly Route[],
  signal: AbortSignal,
  path?: string,
): Promise<Way | { readonly reason: string }> {
  let reason = UNREACHABLE;
  for (const { ref, parents, rules } of details.routes) {
    const route = routes.find(({ metadata }) => metadata.namespace === ref.namespace && metadata.name === ref.name);
    if (ref.kind !== 'HTTPRoute' || !route) continue;
    const asked = probeRequest(route.spec.rules ?? [], rules, path);
    if ('reason' in asked) {
      reason = `no request can be made for ${ref.namespace}/${ref.name}: ${asked.reason}`;
      continue;
    }
    for (const parent of route.spec.parentRefs ?? parents) {
      if ((parent.kind ?? 'Gateway') !== 'Gateway') continue;
      const { name, namespace = ref.namespace } = parent;
      const gateway = await cluster.read<Gateway>({ ...GATEWAY, namespace, name }, { signal });
      const addresses = (gateway?.status?.addresses ?? []).flatMap(({ value }) => (value === undefined ? [] : [value]));
      const root = gateways[`${namespace}/${name}`];
      const door = doorOf(gateway, parent, (route.spec['hostnames'] ?? []) as readonly string[], addresses[0], root);
      if (!door) continue;
      const { method, headers } = asked;
      const url = new URL(asked.path, door.root).href;
      return { gateway: `${namespace}/${name}`, url, host: door.host ?? new URL(door.root).host, method, headers, addresses };
    }
  }
  return { reason };
}

/** Where to knock, and by which name: a listener that the parentRef names and whose names the route shares. `root`: as configured. */
function doorOf(
  gateway: Gateway | undefined,
  { sectionName, port }: ParentRef,
  hostnames: readonly string[],
  address: string | undefined,
  root: string | undefined,
): { readonly root: string; readonly host: string | undefined } | undefined {
  const fitting = (gateway?.spec.listeners ?? []).flatMap((listener) => {
    const isNamed = (sectionName ?? listener.name) === listener.name && (port ?? listener.port) === listener.port;
    const host = sharedName(hostnames, listener.hostname);
    const isOpen = listener.protocol === 'HTTP' || (listener.protocol === 'HTTPS' && listener.tls?.mode !== 'Passthrough');
    return isNamed && isOpen && host !== null ? [{ listener, host }] : [];
  });
  // Plain before encrypted, where the route is attached to both.
  const [first] = fitting.toSorted((a, b) => Number(a.listener.protocol !== 'HTTP') - Number(b.listener.protocol !== 'HTTP'));
  if (root !== undefined) return { root, host: first?.host ?? sharedName(hostnames, undefined) ?? undefined };
  if (!first || address === undefined) return undefined;
  const host = address.includes(':') ? `[${address}]` : address;
  return { root: `${first.listener.protocol === 'HTTP' ? 'http' : 'https'}://${host}:${first.listener.port}`, host: first.host };
}

/** A name that both take; undefined where any will do, null where there is none (Gateway API, hostname intersection). */
function sharedName(hostnames: readonly string[], listener: string | undefined): string | undefined | null {
  if (hostnames.length === 0) return listener?.replace(/^\*\./, 'meshops-probe.');
  for (const name of hostnames) {
    if (listener === undefined || listener === name || isUnder(name, listener)) return name.replace(/^\*\./, 'meshops-probe.');
    if (isUnder(listener, name)) return listener.replace(/^\*\./, 'meshops-probe.');
  }
  return null;
}

function isUnder(name: string, wildcard: string): boolean {
  return wildcard.startsWith('*.') && name.endsWith(wildcard.slice(1));
}

/** Sends the request; what it is answered does not matter, since flows tell it. Undefined, or why it could not be sent. */
export function send(
  { url, host, method, headers: matched }: Way,
  { id, timeoutMs }: { readonly id: string; readonly timeoutMs: number },
  signal: AbortSignal,
): Promise<string | undefined> {
  const { promise, resolve } = Promise.withResolvers<string | undefined>();
  const headers = { 'user-agent': 'meshops-probe', ...matched, host, [PROBE_HEADER]: id };
  const options = { method, headers, agent: false, timeout: timeoutMs };
  const read = (response: IncomingMessage): void => {
    response.resume();
    response.on('close', () => resolve(undefined));
  };
  // Whose certificate answers is the visitors' matter: nothing secret is sent, and the answer is read in flows.
  const trusting = { ...options, servername: host.replace(/:\d+$/, ''), rejectUnauthorized: false };
  const outgoing = url.startsWith('https:') ? requestByTls(url, trusting, read) : request(url, options, read);
  const stop = (): void => void outgoing.destroy(new Error('no answer in time'));
  outgoing.on('timeout', stop);
  outgoing.on('error', (error) => resolve(error.message));
  outgoing.on('close', () => {
    signal.removeEventListener('abort', stop);
    resolve(undefined);
  });
  signal.addEventListener('abort', stop, { once: true });
  outgoing.end();
  return promise;
}
