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
