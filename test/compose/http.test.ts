import { connect } from 'node:net';
import { expect, test } from 'vitest';
import { serveHttp } from '../../src/http.ts';

test('metrics are on a port of their own, and nowhere else', async () => {
  const http = await serveHttp({
    port: 0,
    metricsPort: 0,
    host: '127.0.0.1',
    ready: [],
    metrics: async () => 'meshops_x 1',
    contentType: 'text/plain',
  });
  try {
    const get = async (port: number, path: string): Promise<string> => {
      const answer = await fetch(`http://127.0.0.1:${port}${path}`);
      return `${answer.status} ${await answer.text()}`;
    };
    expect(await get(http.port, '/healthz')).toBe('200 ok');
    expect(await get(http.port, '/metrics')).toMatch(/^404/);
    expect(await get(http.metricsPort, '/metrics')).toBe('200 meshops_x 1');
    for (const path of ['/healthz', '/slack/events']) expect(await get(http.metricsPort, path)).toMatch(/^404/);
  } finally {
    await http.close();
  }
});

test('whoever asks whether it is ready, the database and Temporal are asked once in a second', async () => {
  let asked = 0;
  const ready = [{ name: 'database', isReady: () => ++asked > 0 }];
  const http = await serveHttp({ port: 0, metricsPort: 0, host: '127.0.0.1', ready, metrics: async () => '', contentType: 'text/plain' });
  try {
    const answers = await Promise.all(Array.from({ length: 100 }, () => fetch(`http://127.0.0.1:${http.port}/readyz`)));
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]));
    expect(asked).toBeLessThanOrEqual(2);
    http.retire();
    expect((await fetch(`http://127.0.0.1:${http.port}/readyz`)).status).toBe(503);
  } finally {
    await http.close();
  }
});

test('a request that comes a letter at a time holds its connection for some seconds only', async () => {
  const http = await serveHttp({
    port: 0,
    metricsPort: 0,
    host: '127.0.0.1',
    ready: [],
    metrics: async () => '',
    contentType: 'text/plain',
  });
  const began = performance.now();
  const socket = connect(http.port, '127.0.0.1');
  try {
    socket.write('POST /slack/events HTTP/1.1\r\nHost: a\r\n');
    const dripping = setInterval(() => socket.write('X'), 200);
    socket.on('error', () => undefined);
    await new Promise((resolve) => socket.on('close', resolve));
    clearInterval(dripping);
    expect(performance.now() - began).toBeLessThan(9_000);
  } finally {
    socket.destroy();
    await http.close();
  }
}, 40_000);
