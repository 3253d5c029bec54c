import { MockActivityEnvironment } from '@temporalio/testing';
import { expect, test } from 'vitest';
import { createActivities } from '../../../activities/index.ts';
import type { MayStill } from '../../../src/ports.ts';
import { request } from '../../support/operations.ts';

type Answer = Awaited<ReturnType<MayStill>>;

/** The activities of a worker whose cluster is never reached: whatever gets as far as that fails with `reached`. */
function activities(answer: Answer) {
  const asked: string[] = [];
  const reached = new Proxy(
    {},
    {
      get: () => () => {
        throw new Error('reached');
      },
    },
  );
  const all = createActivities({
    cluster: reached as never,
    hub: reached as never,
    flows: reached as never,
    prometheus: undefined,
    now: Date.now,
    log: { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined, child: () => ({}) } as never,
    audit: { append: async () => undefined, holds: async () => false, lastCompleted: async () => undefined },
    freezes: { active: async () => undefined },
    people: { approvers: async () => [] },
    mayStill: async ({ requester }) => {
      asked.push(requester.id);
      return answer;
    },
    announce: {
      announce: async () => ({ channelId: 'C', ts: '1' }),
      say: async () => undefined,
      chart: async () => undefined,
      editMessage: async () => undefined,
    },
  });
  const run = async (name: string, input: object, attempt = 1): Promise<unknown> =>
    new MockActivityEnvironment({ attempt }).run(all[name] as never, input as never).catch((error: Error) => error);
  return { run, asked };
}

const stage = { number: 1, label: '10%', exposure: 0.1, writes: [] };
const write = { opId: 'canary-x', target: request().target, stage, tokenBefore: {}, as: request().requester.kubernetes };
const { requester, channel } = request();
const asked = { requester, channelId: channel.channelId };

test('who may not any more gets no plan and writes nothing, with the reason', async () => {
  const { run } = activities({ refused: 'Operator is no longer in mesh-operators' });
  expect(await run('canary.plan', { opId: 'canary-x', request: request(), firstStage: 1 })).toMatchObject({
    kind: 'impossible',
    code: 'NoLonger',
  });
  expect(await run('canary.apply', { ...write, asked })).toEqual({
    kind: 'forbidden',
    by: 'meshops',
    words:
      'Whoever asked for it may not make this change any more: Operator is no longer in mesh-operators. Nothing more is written for it.',
  });
});

test('silence of Slack holds a plan up, however often it was tried; a write of what has begun goes on', async () => {
  const { run } = activities({ silent: true });
  const held = (await run('canary.plan', { opId: 'canary-x', request: request(), firstStage: 1 }, 9)) as {
    readonly nonRetryable?: boolean;
    readonly name: string;
  };
  expect(held.name).toBe('SlackAway');
  expect(await run('canary.apply', { ...write, asked })).not.toMatchObject({ by: 'meshops' });
});

test('what only takes something back asks nobody, nor does the write of an earlier workflow', async () => {
  const { run, asked: heard } = activities({ refused: 'gone' });
  await run('canary.plan', { opId: 'canary-x', request: request({ change: { kind: 'shift', percent: 0 } }), firstStage: 1 });
  await run('canary.apply', write);
  expect(heard).toEqual([]);
});
