import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Metadata, Server, ServerCredentials, status } from '@grpc/grpc-js';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Authority, createAuthority } from '../../playground/cilium/certificates.ts';
import { readEnvironment } from '../../src/config/environment.ts';
import { temporalAddressOf } from '../../src/connect/settings.ts';
import { parseConfig } from '../../src/domain/config/parse.ts';
import { connectClient, connectWorker } from '../../src/temporal/connection.ts';

/** A Temporal that demands a client certificate and an API key, and says who came. */
const NAME = 'frontend.temporal.internal';
const asIs = (bytes: Buffer): Buffer => bytes;
let authority: Authority;
let folder: string;
let server: Server;
let address: string;
const keys: unknown[] = [];

beforeAll(async () => {
  authority = await createAuthority(Date.now());
  folder = await mkdtemp(join(tmpdir(), 'temporal-tls-'));
  const other = await createAuthority(Date.now());
  const client = authority.issue(['meshops']);
  const stranger = other.issue(['meshops']);
  const files = {
    'ca.crt': authority.cert,
    'tls.crt': client.cert,
    'tls.key': client.key,
    'other.crt': stranger.cert,
    'other.key': stranger.key,
  };
  await Promise.all(Object.entries(files).map(([name, text]) => writeFile(join(folder, name), text)));
  const own = authority.issue([NAME]);
  server = new Server();
  const path = '/temporal.api.workflowservice.v1.WorkflowService/GetSystemInfo';
  const rpc = {
    path,
    requestStream: false,
    responseStream: false,
    requestSerialize: asIs,
    requestDeserialize: asIs,
    responseSerialize: asIs,
    responseDeserialize: asIs,
  };
  server.addService(
    { GetSystemInfo: rpc },
    {
      GetSystemInfo: (call: { metadata: Metadata }, answer: (error: object | null, bytes?: Buffer) => void) => {
        const [key] = call.metadata.get('authorization');
        keys.push(key);
        if (key !== undefined && key !== 'Bearer right') return answer({ code: status.UNAUTHENTICATED, details: 'wrong key' });
        answer(null, Buffer.alloc(0));
      },
    },
  );
  const pair = { cert_chain: Buffer.from(own.cert), private_key: Buffer.from(own.key) };
  const credentials = ServerCredentials.createSsl(Buffer.from(authority.cert), [pair], true);
  const port = await new Promise<number>((resolve, reject) =>
    server.bindAsync('127.0.0.1:0', credentials, (error, bound) => (error ? reject(error) : resolve(bound))),
  );
  address = `127.0.0.1:${port}`;
}, 60_000);
afterAll(async () => {
  server?.forceShutdown();
  await rm(folder, { recursive: true, force: true });
});

function where(tls: object, apiKey?: string) {
  const parsed = parseConfig({
    clusters: { demo: { kubernetes: { context: 'demo' }, hubble: { agents: 'nodes' } } },
    channels: [{ id: 'C0MESH' }],
    identities: {},
    gates: [],
    slack: { teamIds: ['T0MESHOPS'] },
    temporal: { address, tls },
  });
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.problems));
  return temporalAddressOf(readEnvironment({ ...(apiKey && { TEMPORAL_API_KEY: apiKey }) }), parsed.config);
}

const file = (name: string): string => join(folder, name);
const good = () => ({ caFile: file('ca.crt'), certFile: file('tls.crt'), keyFile: file('tls.key'), serverName: NAME });

describe('Temporal with mTLS, a CA, a server name and an API key', () => {
  it('is reached by the bot and by the worker', async () => {
    const { close } = await connectClient(where(good()), undefined, 5_000);
    await close();
    const worker = await connectWorker(where(good()));
    await worker.close();
    keys.length = 0;
    const keyed = await connectClient(where(good(), 'right'), undefined, 5_000);
    await keyed.close();
    const native = await connectWorker(where(good(), 'right'));
    await native.close();
    expect(new Set(keys)).toEqual(new Set(['Bearer right']));
  });

  it.each([
    ['no client certificate', () => ({ caFile: file('ca.crt'), serverName: NAME })],
    ['a certificate of somebody else', () => ({ ...good(), certFile: file('other.crt'), keyFile: file('other.key') })],
    ['another server name', () => ({ ...good(), serverName: 'temporal.example.com' })],
    ['no CA', () => ({ certFile: file('tls.crt'), keyFile: file('tls.key'), serverName: NAME })],
  ])('is not reached with %s, by neither', async (_, tls) => {
    await expect(connectClient(where(tls()), undefined, 1_500)).rejects.toThrow();
    await expect(connectWorker(where(tls()))).rejects.toThrow();
  });

  it('does not go through a proxy of the environment, as the worker does not', async () => {
    process.env['https_proxy'] = 'http://127.0.0.1:1';
    try {
      const { close } = await connectClient(where(good()), undefined, 3_000);
      await close();
    } finally {
      delete process.env['https_proxy'];
    }
  });

  it('refuses a wrong key', async () => {
    await expect(connectClient(where(good(), 'wrong'), undefined, 1_500)).rejects.toThrow();
  });

  it('says which file is missing, and half a certificate', () => {
    expect(() => where({ ...good(), keyFile: file('none') })).toThrow(/temporal\.tls\.keyFile cannot be read: ENOENT.*Nothing was started/);
    expect(() => where({ certFile: file('tls.crt') })).toThrow('A client certificate needs both');
    expect(where({})).toMatchObject({ tls: {} });
  });
});
