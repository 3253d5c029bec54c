import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { stage } from '../slack/stage.ts';
import { connectProxy } from './connect-proxy.ts';

const seen: string[] = [];
const proxy = connectProxy(seen);

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
