import { expect, test } from 'vitest';
import { type SlackFile, type SlackMessages, SlackRateLimited, SlackUnclear } from '../../src/clients/slack.ts';
import { patient } from '../../src/clients/slack-patient.ts';

const file: SlackFile = {
  channelId: 'C1',
  threadTs: '1.1',
  name: 'a.png',
  title: 'a',
  altText: 'a',
  comment: 'a',
  bytes: new Uint8Array(1),
};

/** A Slack whose calls end with these errors, one after the other, and then well. */
function slack(...errors: readonly Error[]) {
  const left = [...errors];
  const [calls, waited]: [string[], number[]] = [[], []];
  const call = async (name: string): Promise<void> => {
    calls.push(name);
    const error = left.shift();
    if (error) throw error;
  };
  const client = {
    post: async () => call('post').then(() => '1.2'),
    update: async () => call('update'),
    upload: async () => call('upload'),
  } as unknown as SlackMessages;
  return { calls, waited, client: patient(client, async (ms) => void waited.push(ms)) };
}

test('what Slack refuses for its rate is said after the wait that it asks for', async () => {
  const { client, calls, waited } = slack(new SlackRateLimited(1_000), new SlackRateLimited(2_000));
  await client.upload(file);
  expect([calls, waited]).toEqual([
    ['upload', 'upload', 'upload'],
    [1_000, 2_000],
  ]);
  const posts = slack(new SlackRateLimited(1_000));
  expect(await posts.client.post('C1', { text: 'a', blocks: [] })).toBe('1.2');
  const updates = slack(new SlackRateLimited(1_000));
  await updates.client.update('C1', '1.1', { text: 'a', blocks: [] });
  expect([posts.calls.length, updates.calls.length]).toEqual([2, 2]);
});

test('what may have been done is not done again', async () => {
  const { client, calls, waited } = slack(new SlackUnclear('the connection was lost'));
  await expect(client.post('C1', { text: 'a', blocks: [] })).rejects.toThrow(SlackUnclear);
  expect([calls, waited]).toEqual([['post'], []]);
});

test('a Slack that goes on refusing, or asks for a long wait, is told to the caller', async () => {
  const often = slack(...Array.from({ length: 9 }, () => new SlackRateLimited(1_000)));
  await expect(often.client.post('C1', { text: 'a', blocks: [] })).rejects.toThrow(SlackRateLimited);
  expect(often.calls).toHaveLength(4);
  const long = slack(new SlackRateLimited(60_000));
  await expect(long.client.post('C1', { text: 'a', blocks: [] })).rejects.toThrow(SlackRateLimited);
  expect([long.calls.length, long.waited]).toEqual([1, []]);
});
