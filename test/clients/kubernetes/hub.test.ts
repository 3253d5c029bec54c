import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import type { Cluster } from '../../../src/clients/kubernetes/cluster.ts';
import { createHub } from '../../../src/clients/kubernetes/hub.ts';
import { HTTP_ROUTE } from '../../../src/clients/kubernetes/objects.ts';
import { SILENT } from '../../../src/log.ts';

test('a proxy that ends every watch at once is asked again with pauses, not as fast as it answers', async () => {
  let asked = 0;
  const cluster = {
    list: async () => ({ items: [], resourceVersion: '1' }),
    ping: async () => undefined,
    async *watch(_resource: object, _version: string, { opened }: { opened?: () => void }) {
      asked += 1;
      // The answer of a server takes a turn of the loop.
      await sleep(1);
      opened?.();
      yield* [];
    },
  } as unknown as Cluster;
  const hub = createHub({ cluster, log: SILENT });
  const stop = new AbortController();
  hub.follow(HTTP_ROUTE, 'backend/backend', { changed: () => undefined }, stop.signal);
  await sleep(600);
  hub.close();
  stop.abort();
  expect(asked).toBeGreaterThan(1);
  expect(asked).toBeLessThan(10);
});
