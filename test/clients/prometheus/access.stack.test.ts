// The real Prometheus with a web configuration of its own: TLS, a client certificate and a password.
import { spawn } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { createAuthority } from '../../../playground/cilium/certificates.ts';
import { findBinaries } from '../../../playground/cluster/binaries.ts';
import { connectPrometheus } from '../../../src/clients/prometheus/prometheus.ts';

/** bcrypt of `open sesame`. */
const HASH = '$2b$04$lRuZoc1O4ohoSLGPxj3UDuTfUclznKS4y2gWO7.fHQfcHKcN6Tcf6';
const NAME = 'prometheus.internal';
const never = new AbortController().signal;

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  return port;
}

test('Prometheus with basic auth and mTLS answers us, and nobody else', async () => {
  const { env, platform: os, arch } = process;
  const { prometheus } = await findBinaries({ env, os, arch, signal: never, progress: () => undefined });
  const folder = await mkdtemp(join(tmpdir(), 'prometheus-real-'));
  const file = (name: string): string => join(folder, name);
  const authority = await createAuthority(Date.now());
  const [own, client] = [authority.issue([NAME]), authority.issue(['meshops'])];
  const web = {
    tls_server_config: {
      cert_file: file('own.crt'),
      key_file: file('own.key'),
      client_ca_file: file('ca.crt'),
      client_auth_type: 'RequireAndVerifyClientCert',
    },
    basic_auth_users: { meshops: HASH },
  };
  const files = {
    'ca.crt': authority.cert,
    'own.crt': own.cert,
    'own.key': own.key,
    'tls.crt': client.cert,
    'tls.key': client.key,
    password: 'open sesame\n',
    wrong: 'open barley\n',
    'web.yml': JSON.stringify(web),
    'prometheus.yml': '{}',
  };
  await Promise.all(Object.entries(files).map(([name, text]) => writeFile(file(name), text)));
  const port = await freePort();
  const args = [
    `--config.file=${file('prometheus.yml')}`,
    `--storage.tsdb.path=${file('data')}`,
    `--web.config.file=${file('web.yml')}`,
    `--web.listen-address=127.0.0.1:${port}`,
  ];
  const child = spawn(prometheus, args, { stdio: 'ignore' });
  try {
    const url = `https://127.0.0.1:${port}`;
    const tls = { caFile: file('ca.crt'), certFile: file('tls.crt'), keyFile: file('tls.key'), serverName: NAME };
    const ask = (passwordFile: string, more: object = {}) =>
      connectPrometheus({ url, tls, basic: { user: 'meshops', passwordFile }, ...more }).instant('vector(42)', { signal: never });
    let answer: Awaited<ReturnType<typeof ask>> | undefined;
    for (let tries = 0; tries < 100 && !answer; tries += 1) {
      answer = await ask(file('password')).catch(() => undefined);
      if (!answer) await sleep(200);
    }
    expect(answer?.map(({ value }) => value)).toEqual([42]);
    await expect(ask(file('wrong'))).rejects.toThrow('it refuses this login (401)');
    await expect(connectPrometheus({ url, tls }).instant('vector(42)', { signal: never })).rejects.toThrow('it refuses this login (401)');
    const { caFile, serverName } = tls;
    await expect(ask(file('password'), { tls: { caFile, serverName } })).rejects.toThrow('does not answer');
  } finally {
    child.kill();
    await new Promise((resolve) => child.once('exit', resolve));
    await rm(folder, { recursive: true, force: true });
  }
});
