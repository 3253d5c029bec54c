import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import type { Server } from 'node:http';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createAuthority } from '../../playground/cilium/certificates.ts';
import { type GitServer, startGit } from '../../playground/git/server.ts';
import { wayOut } from '../../src/net/proxy.ts';
import { connectProxy } from './connect-proxy.ts';

/** A network that only a proxy leads out of: Slack and Git over TLS, and a CONNECT proxy that says which way was gone. */
const SCRIPT = fileURLToPath(new URL('./through-proxy.ts', import.meta.url));
const run = promisify(execFile);
const cleanups: (() => unknown)[] = [];
const tunnels: string[] = [];
let git: GitServer;
let repository: string;
let slackUrl: string;
let proxyUrl: string;
let folder: string;

async function listening(server: Server): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  cleanups.push(
    () => server.closeAllConnections(),
    () => server.close(),
  );
  return (server.address() as AddressInfo).port;
}

beforeAll(async () => {
  const authority = await createAuthority(Date.now());
  folder = await mkdtemp(join(tmpdir(), 'proxy-'));
  await writeFile(join(folder, 'ca.crt'), authority.cert);
  git = await startGit({ tls: authority.issue(['localhost']) });
  repository = await git.create('team/deploy', { 'a.yaml': 'a: 1\n' });
  const slack = createServer(authority.issue(['localhost']), (request, response) => {
    const upload = { ok: true, file_id: 'F1', upload_url: `${slackUrl}upload` };
    request
      .resume()
      .on('end', () => response.end(JSON.stringify(request.url?.includes('getUpload') ? upload : { ok: true, ts: '1.1', files: [] })));
  });
  slackUrl = `https://localhost:${await listening(slack as never)}/`;
  const proxy = connectProxy(tunnels);
  proxyUrl = `http://127.0.0.1:${await listening(proxy)}`;
}, 60_000);
afterAll(async () => {
  for (const cleanup of cleanups.splice(0)) cleanup();
  await git?.stop();
  await rm(folder, { recursive: true, force: true });
});

async function behind(environment: Readonly<Record<string, string>>) {
  tunnels.length = 0;
  const { PATH = '' } = process.env;
  const env = { PATH, NODE_EXTRA_CA_CERTS: join(folder, 'ca.crt'), ...environment };
  const { stdout } = await run(process.execPath, [SCRIPT, slackUrl, repository], { env });
  const { host } = new URL(slackUrl);
  const ways = { slack: tunnels.filter((one) => one === host).length > 0, git: tunnels.includes(new URL(git.url).host) };
  return { done: JSON.parse(stdout) as object, ways };
}

const ALL = { web: 'ok', post: 'ok', upload: 'ok', git: 'ok' };

test('Slack and Git go through HTTPS_PROXY, also written small', { timeout: 60_000 }, async () => {
  expect(await behind({ HTTPS_PROXY: proxyUrl })).toEqual({ done: ALL, ways: { slack: true, git: true } });
  expect(await behind({ https_proxy: proxyUrl })).toEqual({ done: ALL, ways: { slack: true, git: true } });
});

test('what NO_PROXY names does not, nor anything without a proxy', { timeout: 60_000 }, async () => {
  const { port } = new URL(slackUrl);
  expect(await behind({ HTTPS_PROXY: proxyUrl, NO_PROXY: `localhost:${port}` })).toEqual({ done: ALL, ways: { slack: false, git: true } });
  expect(await behind({ HTTPS_PROXY: proxyUrl, NO_PROXY: 'localhost' })).toEqual({ done: ALL, ways: { slack: false, git: false } });
  expect(await behind({})).toEqual({ done: ALL, ways: { slack: false, git: false } });
});

test('a proxy that is away is an error, not a way around it', { timeout: 60_000 }, async () => {
  const { done } = await behind({ HTTPS_PROXY: 'http://127.0.0.1:1' });
  for (const words of Object.values(done)) expect(words).not.toBe('ok');
});

test('without a proxy nothing is another than before', () => {
  expect(wayOut({ NO_PROXY: 'x' })).toEqual({ fetch: globalThis.fetch });
  expect(wayOut({ HTTPS_PROXY: 'http://127.0.0.1:1' }).dispatcher).toBeDefined();
});
