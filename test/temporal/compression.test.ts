import { defaultPayloadConverter } from '@temporalio/common';
import { describe, expect, it } from 'vitest';
import { refuseTooLarge } from '../../activities/planning/plan-size.ts';
import { planCanary } from '../../src/domain/canary/plan.ts';
import { parseRoute } from '../../src/domain/canary/route.ts';
import type { Plan } from '../../src/domain/lifecycle/plan.ts';
import { parsePayloadKeys } from '../../src/temporal/codec.ts';
import { payloadSize, ZstdCodec } from '../../src/temporal/compression.ts';
import { dataConverterOf } from '../../src/temporal/connection.ts';

const LIMIT = 2 * 2 ** 20;
const service = { cluster: 'demo', namespace: 'backend', name: 'backend' };

function route(name: string, rules: number, backends: number) {
  const backendRefs = Array.from({ length: backends }, (_, index) => ({
    name: ['backend', 'backend-canary', `extra-${index}`][Math.min(index, 2)],
    port: 8080,
    weight: index === 0 ? 100 : 0,
  }));
  return {
    apiVersion: 'gateway.networking.k8s.io/v1',
    kind: 'HTTPRoute',
    metadata: { name, namespace: 'backend', uid: `0b6f1c7a-9f3e-4f4e-8f0d-${name.padStart(12, '0')}`, generation: 1, resourceVersion: '1' },
    spec: { parentRefs: [{ name: 'mesh' }], rules: Array.from({ length: rules }, () => ({ backendRefs })) },
  };
}

/** The plan of a climb to 100% over all these routes, with what was before. */
function planOf(routes: readonly ReturnType<typeof route>[]): Plan {
  const parsed = routes.flatMap((one) => parseRoute(one as never) ?? []);
  const change = { kind: 'shift', percent: 100 } as const;
  const planned = planCanary({ routes: parsed, service, change, ladder: [1, 5, 10, 25, 50, 100], firstStage: 1 });
  if (planned.kind !== 'planned') throw new Error(planned.kind);
  const { from, to, explanation, watched, stages, details } = planned;
  const originals = (stages[0]?.writes ?? []).map(({ object, uid, before }) => ({
    object,
    uid,
    fields: before,
    token: null,
    digest: 'd'.repeat(64),
  }));
  return { verb: 'canary', target: service, from, to, explanation, watched, stages, originals, details, planHash: 'h'.repeat(64) };
}

const watchInput = (plan: Plan) => ({ plan, stage: plan.stages[0], fuse: { originals: plan.originals, written: plan.stages } });
function sizeOfPayloads(payloads: readonly { readonly data?: Uint8Array | null }[]): number {
  return payloads.reduce((all, { data }) => all + (data?.length ?? 0), 0);
}

describe('large plans', () => {
  it.each([
    ['34 routes of 16 rules with 3 backends', Array.from({ length: 34 }, (_, index) => route(`web-${index}`, 16, 3))],
    ['300 routes of one rule', Array.from({ length: 300 }, (_, index) => route(`web-${index}`, 1, 2))],
  ])('%s: what a watch carries fits', async (_name, routes) => {
    const plan = planOf(routes);
    const input = watchInput(plan);
    expect(JSON.stringify(input).length).toBeGreaterThan(LIMIT / 2);
    const { payloadCodecs = [] } = dataConverterOf({ keys: parsePayloadKeys(`k:${Buffer.alloc(32, 1).toString('base64')}`) });
    let payloads = [defaultPayloadConverter.toPayload(input)];
    for (const codec of payloadCodecs) payloads = await codec.encode(payloads);
    expect(sizeOfPayloads(payloads)).toBeLessThan(LIMIT / 8);
    for (const codec of payloadCodecs.toReversed()) payloads = await codec.decode(payloads);
    expect(payloads[0] && defaultPayloadConverter.fromPayload(payloads[0])).toEqual(JSON.parse(JSON.stringify(input)));
    expect(await refuseTooLarge({ kind: 'plan', plan }, payloadSize)).toEqual({ kind: 'plan', plan });
  });

  it('one that cannot be carried is refused in words, and nothing was changed', async () => {
    const plan = planOf([route('web', 1, 2)]);
    const refused = await refuseTooLarge({ kind: 'plan', plan }, async () => 3 * 2 ** 20);
    expect(refused).toMatchObject({ kind: 'impossible', code: 'TooLarge', words: expect.stringMatching(/3\.0 MiB.*Nothing was changed/) });
  });
});

it('small payloads stay readable in other tools', async () => {
  const payload = defaultPayloadConverter.toPayload({ who: 'operator@example.com' });
  expect(await new ZstdCodec().encode([payload])).toEqual([payload]);
});
