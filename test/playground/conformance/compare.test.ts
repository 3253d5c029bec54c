import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { compare, tableOf } from '../../../playground/conformance/compare.ts';
import { connectionsOf } from '../../../playground/conformance/connections.ts';
import type { Heard, WireFlow } from '../../../playground/conformance/hear.ts';
import { type Summary, summarise } from '../../../playground/conformance/summary.ts';

const real = JSON.parse(
  gunzipSync(readFileSync(new URL('../../../playground/conformance/real.json.gz', import.meta.url))).toString(),
) as Summary;

function changed(change: (summary: { -readonly [Part in keyof Summary]: Summary[Part] }) => void): Summary {
  const copy = structuredClone(real);
  change(copy);
  return copy;
}
const OPEN = 'open, two nodes';
const open = real.situations[OPEN];

describe('what was recorded of real agents', () => {
  test('differs from itself in nothing', () => {
    expect(compare(real, real)).toEqual([]);
    expect(Object.keys(real.situations).length).toBeGreaterThan(30);
  });

  test('names no machine', () => {
    expect(JSON.stringify(real)).not.toMatch(/\/(root|home|tmp|work)\//);
  });

  test.each([
    [
      'a situation that only one of them has',
      (copy: Summary) => ({ ...copy, situations: { ...copy.situations, 'on the moon': open } }),
      'the situation',
    ],
    [
      'an event that is told twice',
      (copy: Summary) => ({
        ...copy,
        situations: { ...copy.situations, [OPEN]: { ...open, counts: { ...open?.counts, [open?.order[0] ?? '']: 2 } } },
      }),
      open?.order[0],
    ],
    [
      'another order',
      (copy: Summary) => ({ ...copy, situations: { ...copy.situations, [OPEN]: { ...open, order: open?.order.toReversed() } } }),
      'order',
    ],
    ['a field that is not there', (copy: Summary) => ({ ...copy, fields: { ...copy.fields, drop: {} } }), 'drop_reason'],
    [
      'a time that is another',
      (copy: Summary) => ({ ...copy, times: { ...copy.times, 'a denied SYN again after': [3_000, 3_000] } }),
      'a denied SYN again after',
    ],
  ])('%s is a difference', (_, change, what) => {
    const differences = compare(real, change(changed(() => undefined)) as Summary);
    expect(differences.map((one) => one.what)).toContain(what);
    expect(tableOf(differences).split('\n').length).toBe(differences.length + 2);
  });
});

function heard(node: string, part: Partial<WireFlow>, at: number): Heard {
  return {
    arrived: at + 5,
    node,
    flow: {
      time: { seconds: at / 1_000 },
      verdict: 'FORWARDED',
      event_type: { type: 4 },
      traffic_direction: 'EGRESS',
      trace_observation_point: 'TO_ENDPOINT',
      trace_reason: 'NEW',
      IP: { source: '10.0.1.1', destination: '10.0.2.2' },
      l4: { TCP: { source_port: 40_000, destination_port: 8_080, flags: { SYN: true } } },
      source: { namespace: 'conform', pod_name: 'open', labels: [] },
      destination: { namespace: 'backend', pod_name: 'backend-1', labels: [] },
      ...part,
    } as WireFlow,
  };
}

test('both ways of a connection are one, seen from where its client and its server are', () => {
  const back = {
    trace_reason: 'REPLY',
    IP: { source: '10.0.2.2', destination: '10.0.1.1' },
    l4: { TCP: { source_port: 8_080, destination_port: 40_000, flags: { SYN: true, ACK: true } } },
    source: { namespace: 'backend', pod_name: 'backend-1', labels: [] },
    destination: { namespace: 'conform', pod_name: 'open', labels: [] },
  };
  const nodes = new Map([
    ['conform/open', 'node-1'],
    ['backend/backend-1', 'node-2'],
  ]);
  const all = [heard('node-2', {}, 1_000), heard('node-1', back, 1_001)];
  const [one, ...others] = connectionsOf(all, nodes);
  expect(others).toEqual([]);
  expect(one?.situation).toBe(OPEN);
  expect(one?.events.map(({ token }) => token)).toEqual([
    "trace TO_ENDPOINT NEW EGRESS SYN out at the server's",
    "trace TO_ENDPOINT REPLY EGRESS SYN,ACK back at the client's",
  ]);
  const { situations, times } = summarise({ heard: all, marks: [], nodes });
  expect(situations[OPEN]).toMatchObject({ connections: 1, flows: 2 });
  expect(times['a trace comes after']).toEqual([5, 5]);
});
