import { type Dispatcher, EnvHttpProxyAgent, fetch as fetchThrough } from 'undici';

type Fetch = typeof globalThis.fetch;

export interface Way {
  readonly fetch: Fetch;
  /** For WebSockets; undefined where there is no proxy. */
  readonly dispatcher?: Dispatcher;
}

const NAMES = ['HTTPS_PROXY', 'HTTP_PROXY', 'https_proxy', 'http_proxy'] as const;
let through: Way | undefined;

/**
 * How Slack is reached: through HTTPS_PROXY or HTTP_PROXY of the environment unless NO_PROXY names the host. The global fetch knows no proxy,
 * and must not: what is asked for beside Slack and Git is in the cluster.
 */
export function wayOut(environment: Readonly<Record<string, string | undefined>> = process.env): Way {
  if (!NAMES.some((name) => environment[name])) return { fetch: globalThis.fetch };
  if (environment === process.env && through) return through;
  const httpProxy = environment['HTTP_PROXY'] ?? environment['http_proxy'];
  const httpsProxy = environment['HTTPS_PROXY'] ?? environment['https_proxy'];
  const noProxy = environment['NO_PROXY'] ?? environment['no_proxy'] ?? '';
  // A tunnel in any case: a WebSocket does not survive being passed on.
  const dispatcher = new EnvHttpProxyAgent({
    proxyTunnel: true,
    ...(httpProxy && { httpProxy }),
    ...(httpsProxy && { httpsProxy }),
    noProxy,
  });
  // The same functions by another copy of the library: only its own types know its dispatcher.
  const fetch = ((input: string, init?: object) => fetchThrough(input, { ...init, dispatcher })) as unknown as Fetch;
  const way = { fetch, dispatcher };
  if (environment === process.env) through = way;
  return way;
}
