import type { Flow } from '../../src/clients/hubble/flow.ts';
import type { Asked } from '../../src/domain/canary/matching.ts';

/** What a record says of the request that a route decides by. */
export function askedOf({ l7 }: Flow): Asked {
  const { method, url, headers } = l7?.http ?? {};
  const known = headers && new Map(headers.map(({ key = '', value = '' }) => [key.toLowerCase(), value]));
  const parsed = url === undefined ? undefined : parse(url);
  const host = parsed?.host || (known?.get(':authority') ?? known?.get('host'));
  return {
    ...(method && { method }),
    ...(host && { host: host.replace(/:\d+$/, '').toLowerCase() }),
    ...(parsed && { path: parsed.path, query: parsed.query }),
    ...(known && known.size > 0 && { headers: known }),
  };
}

/** Cilium logs the whole URL; a path alone has no host. */
function parse(url: string): { readonly host: string; readonly path: string; readonly query: ReadonlyMap<string, string> } | undefined {
  const whole = url.startsWith('/') ? `http://${url}` : url;
  const match = /^[a-z][a-z0-9+.-]*:\/\/([^/?#]*)([^?#]*)\??([^#]*)/i.exec(whole);
  if (!match) return undefined;
  const [, host = '', path = '', query = ''] = match;
  // Of a parameter that is there twice Envoy takes the first.
  return { host, path: path === '' ? '/' : path, query: new Map([...new URLSearchParams(query)].toReversed()) };
}
