import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, expect, test } from 'vitest';
import { createCounters } from '../../../src/clients/prometheus/counters.ts';
import { connectPrometheus, PrometheusFailure } from '../../../src/clients/prometheus/prometheus.ts';

const cleanups: (() => void)[] = [];
afterEach(() => {
  for (const cleanup of cleanups.splice(0)) cleanup();
});

const never = new AbortController().signal;

/** A Prometheus that answers with one body, and what it was asked. */
async function prometheusWith(body: string | undefined) {
  const asked: string[] = [];
  const server = createServer((request, response) => {
    let form = '';
    request.on('data', (chunk: Buffer) => (form += chunk.toString('utf8')));
    request.on('end', () => {
      asked.push(`${request.url} ${form}`);
      if (body !== undefined) response.end(body);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  cleanups.push(() => {
    server.close();
    server.closeAllConnections();
  });
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/prometheus`;
  return { asked, client: connectPrometheus({ url, deadlineMs: 200 }), stop: () => server.close() };
}

test('values are read with their labels and times', async () => {
  const { asked, client } = await prometheusWith(
    '{"status":"success","data":{"resultType":"vector","result":[{"metric":{"a":"b"},"value":[1700000000.5,"42"]}]}}',
  );
  expect(await client.instant('up', { signal: never, at: 1_700_000_000_500 })).toEqual([
    { labels: { a: 'b' }, at: 1_700_000_000_500, value: 42 },
  ]);
  expect(asked).toEqual(['/prometheus/api/v1/query query=up&time=1700000000.500']);
});

test('series are read over a range', async () => {
  const { client } = await prometheusWith(
    '{"status":"success","data":{"resultType":"matrix","result":[{"metric":{},"values":[[1,"1"],[2,"NaN"]]}]}}',
  );
  const [series] = await client.range('up', { from: 1_000, to: 2_000, stepMs: 1_000, signal: never });
  expect(series?.points).toEqual([
    { at: 1_000, value: 1 },
    { at: 2_000, value: Number.NaN },
  ]);
});

test.each<[string, string | undefined, RegExp]>([
  ['a query it does not understand', '{"status":"error","errorType":"bad_data","error":"parse error"}', /parse error/],
  ['another server', '<html>', /does not answer/],
  ['another API', '{"hello":1}', /not its API/],
  ['silence', undefined, /does not answer/],
])('%s is a failure in words', async (_, body, words) => {
  const { client } = await prometheusWith(body);
  const asking = client.instant('up', { signal: never });
  await expect(asking).rejects.toThrow(PrometheusFailure);
  await expect(asking).rejects.toThrow(words);
});

test('counters: the first look is the beginning, a fall is a restart, a new one on a known instance was zero', () => {
  const counters = createCounters();
  const at = 0;
  const of = (name: string, value: number, instance = 'one') => ({ labels: { name, instance }, at, value });
  const grown = (...samples: readonly ReturnType<typeof of>[]) => counters.look(samples).map(({ labels, by }) => [labels['name'], by]);
  expect(grown(of('a', 100))).toEqual([]);
  expect(grown(of('a', 103))).toEqual([['a', 3]]);
  expect(grown(of('a', 2), of('b', 4))).toEqual([
    ['a', 2],
    ['b', 4],
  ]);
  expect(grown(of('a', 900, 'two'))).toEqual([]);
  expect(grown(of('a', 902, 'two'), of('a', 2))).toEqual([['a', 2]]);
});
