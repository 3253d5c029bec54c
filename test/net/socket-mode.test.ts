import { createServer } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { stage } from '../slack/stage.ts';

/** A proxy that makes tunnels and nothing else, and says where to. */
const seen: string[] = [];
const proxy = createServer((_, response) => response.writeHead(405).end());
proxy.on('connect', (request, socket, head) => {
  seen.push(request.url ?? '');
  const { hostname, port } = new URL(`http://${request.url}`);
  const way = connect(Number(port), hostname, () => {
    socket.write('HTTP/1.1 200 Connection Established\r\n\r\n');
    way.write(head);
    way.pipe(socket).pipe(way);
  });
  for (const one of [way, socket]) one.on('error', () => one.destroy());
  socket.on('close', () => way.destroy());
});

beforeAll(async () => {
  await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve));
  process.env['HTTP_PROXY'] = `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`;
});
afterAll(() => {
  delete process.env['HTTP_PROXY'];
  proxy.closeAllConnections();
  proxy.close();
});

test('Socket Mode connects, hears and answers through the proxy', async () => {
  await using at = await stage({}, 'socket');
  const { host } = new URL(at.slack.apiUrl);
  expect(at.slack.connections()).toBeGreaterThan(0);
  await at.slack.drive.as('U0OPERATOR').command('C0MESH', '/mesh help');
  expect(at.slack.drive.as('U0OPERATOR').ephemerals().at(-1)?.text ?? '').not.toBe('');
  expect(new Set(seen)).toEqual(new Set([host]));
});
