import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { type Authority, createAuthority, type Issued } from '../../../playground/cilium/certificates.ts';
import { connectPrometheus, type PrometheusOptions } from '../../../src/clients/prometheus/prometheus.ts';

/** A Prometheus behind TLS on loopback that demands a client certificate, and tells who came. */
const NAME = 'prometheus.monitoring.svc';
const never = new AbortController().signal;
let authority: Authority;
let folder: string;
const cleanups: (() => void)[] = [];

beforeAll(async () => {
  authority = await createAuthority(Date.now());
  folder = await mkdtemp(join(tmpdir(), 'prometheus-'));
}, 30_000);
afterAll(() => rm(folder, { recursive: true, force: true }));
afterEach(() => {
  for (const cleanup of cleanups.splice(0)) cleanup();
});

const file = (name: string): string => join(folder, name);

async function write({ cert, key }: Issued): Promise<void> {
  const files = { 'ca.crt': authority.cert, 'tls.crt': cert, 'tls.key': key };
  await Promise.all(Object.entries(files).map(([name, text]) => writeFile(file(name), text)));
}

async function served(by = authority) {
  const heard: { authorization?: string; tenant?: unknown; client?: string }[] = [];
  const server = createServer(
    { ...by.issue([NAME]), ca: authority.cert, requestCert: true, rejectUnauthorized: true },
    (request, response) => {
      const { authorization, 'x-scope-orgid': tenant } = request.headers;
      const { subject } = (request.socket as unknown as { getPeerCertificate(): { subject: { CN: string } } }).getPeerCertificate();
      heard.push({ ...(authorization && { authorization }), ...(tenant && { tenant }), client: subject.CN });
      const wanted = authorization === 'Bearer stale' ? 401 : 200;
      response.writeHead(wanted).end('{"status":"success","data":{"resultType":"vector","result":[]}}');
    },
  );
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  cleanups.push(() => {
    server.close();
    server.closeAllConnections();
  });
  const url = `https://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const tls = { caFile: file('ca.crt'), certFile: file('tls.crt'), keyFile: file('tls.key'), serverName: NAME };
  const ask = (more: Partial<PrometheusOptions> = {}) => {
    const client = connectPrometheus({ url, tls, ...more });
    return { instant: () => client.instant('up', { signal: never }) };
  };
  return { heard, ask, tls };
}

test('a client certificate, a CA and a server name; a renewed certificate counts with the next question', async () => {
  await write(authority.issue(['meshops-1']));
  const { heard, ask } = await served();
  const client = ask();
  await client.instant();
  await write(authority.issue(['meshops-2']));
  await client.instant();
  expect(heard.map((one) => one.client)).toEqual(['meshops-1', 'meshops-2']);
});

test('a bearer token from a file, read anew each time, and a tenant', async () => {
  await write(authority.issue(['meshops']));
  const { heard, ask } = await served();
  await writeFile(file('token'), 'stale\n');
  const client = ask({ bearerFile: file('token'), tenant: 'team-a' });
  await expect(client.instant()).rejects.toThrow('it refuses this login (401)');
  await writeFile(file('token'), 'fresh\n');
  await client.instant();
  expect(heard).toMatchObject([{ authorization: 'Bearer stale' }, { authorization: 'Bearer fresh', tenant: 'team-a' }]);
});

test('a name and a password', async () => {
  await write(authority.issue(['meshops']));
  const { heard, ask } = await served();
  await writeFile(file('password'), 'open sesame\n');
  await ask({ basic: { user: 'meshops', passwordFile: file('password') } }).instant();
  expect(heard[0]?.authorization).toBe(`Basic ${Buffer.from('meshops:open sesame').toString('base64')}`);
});

test.each<[string, (tls: Awaited<ReturnType<typeof served>>['tls']) => Partial<PrometheusOptions>, RegExp]>([
  [
    'no client certificate',
    ({ caFile, serverName }) => ({ tls: { caFile, serverName } }),
    /certificate required|ECONNRESET|socket hang up|handshake/i,
  ],
  ['another name', (tls) => ({ tls: { ...tls, serverName: 'prometheus.example.com' } }), /altnames/i],
  ['no CA', ({ certFile, keyFile, serverName }) => ({ tls: { certFile, keyFile, serverName } }), /self-signed|unable to/i],
  ['a file that is not there', (tls) => ({ tls: { ...tls, keyFile: file('none') } }), /a file for Prometheus cannot be read: ENOENT.*none/],
  ['a token that is not there', (tls) => ({ tls, bearerFile: file('none') }), /a file for Prometheus cannot be read: ENOENT/],
])('is not asked with %s, and says why', async (_, more, words) => {
  await write(authority.issue(['meshops']));
  const { ask, tls } = await served();
  await expect(ask(more(tls)).instant()).rejects.toThrow(words);
});
