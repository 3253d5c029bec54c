import { readFile } from 'node:fs/promises';
import { Agent as HttpAgent } from 'node:http';
import { Agent as HttpsAgent } from 'node:https';

/** What a Prometheus behind a login wants. Files are read with each question: a renewed token or certificate counts at once. */
export interface PrometheusAccess {
  readonly url: string;
  readonly tls?:
    | {
        readonly caFile?: string | undefined;
        readonly certFile?: string | undefined;
        readonly keyFile?: string | undefined;
        readonly serverName?: string | undefined;
      }
    | undefined;
  readonly bearerFile?: string | undefined;
  readonly basic?: { readonly user: string; readonly passwordFile: string } | undefined;
  readonly tenant?: string | undefined;
}

export interface Prepared {
  readonly agent: HttpAgent | HttpsAgent;
  readonly headers: Readonly<Record<string, string>>;
}

/** Connections are kept open; with other certificates there are others. Rejects with a sentence that names a file that cannot be read. */
export function createAccess({ url, tls, bearerFile, basic, tenant }: PrometheusAccess): () => Promise<Prepared> {
  let known: { readonly version: string; readonly agent: HttpAgent | HttpsAgent } | undefined;
  const isSecure = new URL(url).protocol === 'https:';
  return async () => {
    const files = [tls?.caFile, tls?.certFile, tls?.keyFile, bearerFile, basic?.passwordFile];
    const [ca, cert, key, token, password] = await Promise.all(files.map(read));
    const version = [ca, cert, key].join('\n');
    if (known?.version !== version) {
      // Those of before end by themselves: a question may be under way on them.
      const names = tls?.serverName === undefined ? {} : { servername: tls.serverName };
      const pem = { ...(ca !== undefined && { ca }), ...(cert !== undefined && { cert }), ...(key !== undefined && { key }) };
      known = { version, agent: isSecure ? new HttpsAgent({ keepAlive: true, ...pem, ...names }) : new HttpAgent({ keepAlive: true }) };
    }
    const login =
      token !== undefined
        ? { authorization: `Bearer ${token.trim()}` }
        : basic && { authorization: `Basic ${Buffer.from(`${basic.user}:${(password ?? '').trim()}`).toString('base64')}` };
    return { agent: known.agent, headers: { ...login, ...(tenant !== undefined && { 'x-scope-orgid': tenant }) } };
  };
}

async function read(file: string | undefined): Promise<string | undefined> {
  try {
    return file === undefined ? undefined : await readFile(file, 'utf8');
  } catch (error) {
    throw new Error(`a file for Prometheus cannot be read: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
  }
}
