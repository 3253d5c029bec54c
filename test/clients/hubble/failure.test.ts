import { createServer, type Server, type Socket } from 'node:net';
import { status } from '@grpc/grpc-js';
import { afterEach, expect, test } from 'vitest';
import { reasonOf } from '../../../src/clients/hubble/failure.ts';
import { connectObserver } from '../../../src/clients/hubble/observer.ts';

const cleanups: (() => void)[] = [];
afterEach(() => {
  for (const cleanup of cleanups.splice(0)) cleanup();
});

/** A server that is no agent: `answer` is given each connection. */
async function serve(answer: (socket: Socket) => void): Promise<string> {
  const sockets = new Set<Socket>();
  const server: Server = createServer((socket) => {
    sockets.add(socket.on('error', () => undefined));
    answer(socket);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  cleanups.push(() => {
    server.close();
    for (const socket of sockets) socket.destroy();
  });
  return `127.0.0.1:${(server.address() as { readonly port: number }).port}`;
}

/** Both ways to ask must say the same. */
async function askBoth(address: string, tls?: object): Promise<readonly string[]> {
  const observer = connectObserver(address, tls);
  cleanups.push(() => observer.close());
  const told = await observer.status(800).then(
    () => 'answered',
    (error: unknown) => (error as Error).message,
  );
  const { promise, resolve } = Promise.withResolvers<string>();
  const stream = observer.flows(
    { follow: true },
    () => undefined,
    (reason = 'ended') => resolve(reason),
  );
  const silent = setTimeout(() => resolve('silent'), 800);
  const ended = await promise;
  clearTimeout(silent);
  stream.cancel();
  return [told, ended];
}

test.each([
  ['refuses', () => Promise.resolve('127.0.0.1:1'), undefined, 'it refuses connections'],
  [
    'speaks another protocol',
    () => serve((socket) => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n')),
    undefined,
    'what answers there is no agent of Hubble',
  ],
  ['closes', () => serve((socket) => socket.destroy()), undefined, 'the connection broke'],
  [
    'speaks no TLS',
    () => serve((socket) => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n')),
    { serverName: 'agent' },
    'it does not speak TLS',
  ],
  ['has no address', () => Promise.resolve('agent.invalid:4244'), undefined, 'its name cannot be resolved'],
])('a server that %s is told so, in a sentence', async (_, start, tls, reason) => {
  expect(await askBoth(await start(), tls)).toEqual([reason, reason]);
});

test('one that says nothing did not answer in time', async () => {
  const [told] = await askBoth(await serve(() => undefined));
  expect(told).toBe('it did not answer in time');
});

test('no status of gRPC comes through with its number and name', () => {
  for (const code of Object.values(status).filter((one) => typeof one === 'number')) {
    const name = status[code] ?? '';
    const words = reasonOf({ code, details: 'some text\nof the server', message: `${code} ${name}: some text` });
    expect(words).not.toMatch(new RegExp(`${name}|^${code}`));
    expect(words).not.toContain('\n');
  }
});
