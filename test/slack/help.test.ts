import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createWebClient } from '../../src/clients/slack-web.ts';
import { CHANNEL, type Stage, stage } from './stage.ts';

let at: Stage;
beforeEach(async () => {
  at = await stage();
});
afterEach(async () => {
  await at[Symbol.asyncDispose]();
});

const person = (id = 'U0OPERATOR') => at.slack.drive.as(id, { staleSession: true });
const type = async (line: string, id?: string) => (await person(id).command(CHANNEL, line)).shown;

describe('a button of help', () => {
  test('shows its area, once', async () => {
    const shown = await type('/mesh help');
    await person().click(CHANNEL, shown?.ts ?? '', 'meshops-place:1');
    await at.idle();
    const [, ...after] = person().ephemerals();
    expect(after.map(({ text }) => text)).toEqual([expect.stringContaining('`/policy enforce frontend`')]);
  });

  test('that runs a corrected command begins it once', async () => {
    const shown = await type('/mesh cannary backend 10%');
    await person().click(CHANNEL, shown?.ts ?? '', 'meshops-place:0');
    await at.idle();
    expect(at.played.begins).toMatchObject([{ text: '/mesh canary backend 10%' }]);
    expect(at.refused).toEqual([]);
  });
});

test('with the command of another app runs nothing', async () => {
  const web = createWebClient({ token: at.slack.botToken, slackApiUrl: at.slack.apiUrl });
  const text = { type: 'plain_text' as const, text: 'Run it' };
  const elements = [{ type: 'button' as const, action_id: 'meshops-place:0', text, value: '/deploy canary backend 10%' }];
  const { ts = '' } = await web.chat.postMessage({ channel: CHANNEL, text: 'x', blocks: [{ type: 'actions', elements }] });
  await person().click(CHANNEL, ts, 'meshops-place:0');
  await at.idle();
  expect(at.played.begins).toEqual([]);
  expect(at.refused).toEqual(['ForgedButton']);
});

test('a word that is only planned says what there is instead, with the slash names', async () => {
  expect((await type('/mesh diagnose backend'))?.text).toBe(
    '`diagnose` is not there yet. Nothing was changed. Until then: `/mesh status backend`, `/policy explain frontend -&gt; backend:8080`.',
  );
});

describe('who is here for the first time', () => {
  const hints = (id: string) =>
    person(id)
      .ephemerals()
      .filter(({ blocks }) => JSON.stringify(blocks).includes('New here?'));

  test('is told once what meshops does, whatever they typed', async () => {
    await type('/mesh status', 'U0OPERATOR');
    await type('/mesh status', 'U0OPERATOR');
    await type('/mesh frobnicate', 'U0REVIEWER');
    expect([hints('U0OPERATOR').length, hints('U0REVIEWER').length]).toEqual([1, 1]);
  });

  test('is not told it beside help, nor where meshops does nothing for them', async () => {
    await type('/mesh help', 'U0OPERATOR');
    await type('/mesh status', 'U0GUEST');
    expect([hints('U0OPERATOR').length, hints('U0GUEST').length]).toEqual([0, 0]);
  });
});
