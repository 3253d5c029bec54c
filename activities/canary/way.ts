// The way that requests of our own take to a canary: through the Gateway of its routes, as people's do.
import { request } from 'node:http';
import type { CanaryDetails } from '../../src/domain/canary/details.ts';
import type { Cluster } from '../clients/kubernetes/cluster.ts';
import { GATEWAY, type Gateway, type Route } from '../clients/kubernetes/objects.ts';
import { PROBE_HEADER } from './requests.ts';

/** How a cluster's gateways are probed: `off`, or by URL where the address in a Gateway's status is not the way from here. */
export type ProbeSettings = 'off' | { readonly gateways: Readonly<Record<string, string>> };

export interface Way {
  readonly gateway: string;
  readonly url: string;
  readonly host: string;
  /** What its flows may carry, beside the namespace, when they reach no pod. */
  readonly addresses: readonly string[];
}

/** The first Gateway of the routes that can be reached. Routes of gRPC are not probed: a plain request would match none of their rules. */
export async function wayIn(
  cluster: Cluster,
  { gateways }: Exclude<ProbeSettings, 'off'>,
  details: CanaryDetails,
  routes: readonly Route[],
  signal: AbortSignal,
): Promise<Way | undefined> {
  for (const { ref, parents } of details.routes) {
    const route = routes.find(({ metadata }) => metadata.namespace === ref.namespace && metadata.name === ref.name);
    if (ref.kind !== 'HTTPRoute' || !route) continue;
    for (const { kind, namespace, name } of parents) {
      if (kind !== 'Gateway') continue;
      const gateway = await cluster.read<Gateway>({ ...GATEWAY, namespace, name }, { signal });
      const addresses = (gateway?.status?.addresses ?? []).flatMap(({ value }) => (value === undefined ? [] : [value]));
      const root = gateways[`${namespace}/${name}`] ?? rootOf(gateway, addresses[0]);
      if (root !== undefined)
        return { gateway: `${namespace}/${name}`, url: new URL(pathOf(route), root).href, host: hostOf(route, root), addresses };
    }
  }
  return undefined;
}

function rootOf(gateway: Gateway | undefined, address: string | undefined): string | undefined {
  const listener = gateway?.spec.listeners?.find(({ protocol }) => protocol === 'HTTP');
  if (!listener || address === undefined) return undefined;
  return `http://${address.includes(':') ? `[${address}]` : address}:${listener.port}`;
}

/** A path and a host that the route takes. */
function pathOf({ spec }: Route): string {
  const rule = spec.rules?.[0] as
    | { readonly matches?: readonly { readonly path?: { readonly type?: string; readonly value?: string } }[] }
    | undefined;
  const path = rule?.matches?.[0]?.path;
  return path?.type === 'RegularExpression' ? '/' : (path?.value ?? '/');
}

function hostOf({ spec }: Route, root: string): string {
  const [name] = (spec['hostnames'] ?? []) as readonly string[];
  return name === undefined ? new URL(root).host : name.replace(/^\*\./, 'meshops-probe.');
}

/** Sends the request; what it is answered does not matter, since flows tell it. Undefined, or why it could not be sent. */
export function send(
  { url, host }: Way,
  { id, timeoutMs }: { readonly id: string; readonly timeoutMs: number },
  signal: AbortSignal,
): Promise<string | undefined> {
  const { promise, resolve } = Promise.withResolvers<string | undefined>();
  const headers = { host, [PROBE_HEADER]: id, 'user-agent': 'meshops-probe' };
  const outgoing = request(url, { headers, agent: false, timeout: timeoutMs }, (response) => {
    response.resume();
    response.on('close', () => resolve(undefined));
  });
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
