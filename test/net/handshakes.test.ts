import { once } from 'node:events';
import https from 'node:https';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { setImmediate as turn } from 'node:timers/promises';
import { afterEach, expect, test, vi } from 'vitest';
import { connectObserver } from '../../src/clients/hubble/observer.ts';
import { PacedAgent } from '../../src/clients/kubernetes/paced-agent.ts';
import { createHandshakes } from '../../src/net/handshakes.ts';

vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
afterEach(() => void vi.clearAllTimers());

/** A server that takes connections and never says a word. */
async function silence() {
  const sockets: Socket[] = [];
  const server = createServer((socket) => sockets.push(socket.on('error', () => {}))).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return { sockets, server, port: (server.address() as AddressInfo).port };
}

/** Requests to it that have no connection yet. */
async function silent(requests: number) {
  const { sockets, server, port } = await silence();
  const agent = new PacedAgent({ keepAlive: true }, createHandshakes());
  const asked = Array.from({ length: requests }, () => https.get({ host: '127.0.0.1', port, agent, rejectUnauthorized: false }));
  const failed = asked.map(async (request) => once(request, 'error').then(([error]) => (error as NodeJS.ErrnoException).code));
  const stop = (): void => {
    for (const socket of sockets) socket.destroy();
    agent.destroy();
    server.close();
  };
  return { sockets, asked, failed, stop };
}

/** The clock stays where it is, which with `vi.waitUntil` it would not. */
async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await turn();
}
async function turns(): Promise<void> {
  for (let count = 0; count < 50; count += 1) await turn();
}

test('begins four handshakes at once, and the next ones 25 ms later where those have had no answer', async () => {
  const { sockets, stop, failed } = await silent(10);
  await until(() => sockets.length >= 4);
  await turns();
  expect(sockets).toHaveLength(4);
  vi.advanceTimersByTime(24);
  await turns();
  expect(sockets).toHaveLength(4);
  vi.advanceTimersByTime(1);
  await until(() => sockets.length >= 8);
  await turns();
  expect(sockets).toHaveLength(8);
  vi.advanceTimersByTime(25);
  await until(() => sockets.length === 10);
  stop();
  expect(new Set(await Promise.all(failed))).toEqual(new Set(['ECONNRESET']));
});

test('one that ends makes room for the next at once', async () => {
  const { sockets, stop } = await silent(6);
  await until(() => sockets.length === 4);
  sockets[0]?.destroy();
  sockets[1]?.destroy();
  await until(() => sockets.length === 6);
  stop();
});

test('a server that refuses, and requests that are given up, hold nobody up', async () => {
  const { sockets, asked, stop } = await silent(6);
  await until(() => sockets.length === 4);
  for (const request of asked) request.on('error', () => {}).destroy();
  await turns();
  stop();
  const agent = new PacedAgent({ keepAlive: true }, createHandshakes());
  const port = 1;
  const refused = Array.from({ length: 12 }, () => once(https.get({ host: '127.0.0.1', port, agent }), 'error'));
  const codes = (await Promise.all(refused)).map(([error]) => (error as NodeJS.ErrnoException).code);
  expect(codes).toEqual(Array.from({ length: 12 }, () => 'ECONNREFUSED'));
});

test('the streams of many agents with TLS begin so as well; one that is given up before its turn never begins', async () => {
  const { sockets, server, port } = await silence();
  const observers = Array.from({ length: 10 }, () => connectObserver(`127.0.0.1:${port}`, {}));
  const ended: string[] = [];
  const streams = observers.map((observer) =>
    observer.flows(
      { follow: true },
      () => {},
      (reason) => ended.push(reason ?? ''),
    ),
  );
  await until(() => sockets.length >= 4);
  await turns();
  expect(sockets).toHaveLength(4);
  for (const stream of streams.slice(4, 9)) stream.cancel();
  vi.advanceTimersByTime(25);
  await until(() => sockets.length >= 5);
  await turns();
  expect(sockets).toHaveLength(5);
  for (const stream of streams) stream.cancel();
  for (const observer of observers) observer.close();
  for (const socket of sockets) socket.destroy();
  server.close();
});
