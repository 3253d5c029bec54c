import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, expect, test } from 'vitest';
import { DOOR_FD, openDoor } from '../../../playground/real/door.ts';

const cleanups: (() => void)[] = [];
afterEach(() => {
  for (const cleanup of cleanups.splice(0)) cleanup();
});

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

test('whoever inherits the door answers at it, and nobody does once they are gone', async () => {
  const port = await freePort();
  const door = await openDoor(port);
  const program = `require('node:http').createServer((_, answer) => answer.end('inside')).listen({ fd: ${DOOR_FD} }, () => console.log('up'))`;
  const child = spawn(process.execPath, ['-e', program], { stdio: ['ignore', 'pipe', 'inherit', door.fd] });
  cleanups.push(() => child.kill('SIGKILL'));
  door.close();
  await once(child.stdout as NodeJS.ReadableStream, 'data');
  const page = `http://127.0.0.1:${port}/`;
  expect(await (await fetch(page)).text()).toBe('inside');
  await expect(openDoor(port)).rejects.toThrow(`Port ${port} is taken. Choose another with --port.`);
  child.kill('SIGKILL');
  await once(child, 'exit');
  await expect(fetch(page)).rejects.toThrow();
});
