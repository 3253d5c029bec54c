import { afterEach, beforeEach, expect, test } from 'vitest';
import type { Outcome } from '../../src/domain/lifecycle/operation.ts';
import { sentence } from '../../src/domain/words/sentences.ts';
import { CHANNEL, type Stage, stage, viewOf } from './stage.ts';

let at: Stage;
beforeEach(async () => {
  at = await stage();
});
afterEach(async () => {
  await at[Symbol.asyncDispose]();
});
const NEAR = ['backend', 'backend-canary'];
const outcome: Outcome = {
  kind: 'impossible',
  code: 'NoRoute',
  words: sentence('NoRoute', { service: 'bakend', namespace: 'backend', elsewhere: [], near: NEAR }),
  candidates: NEAR,
};
const typed = { target: { cluster: 'demo', namespace: 'backend', name: 'bakend' }, text: '/mesh canary bakend 10%', stages: [] };
const planning = viewOf({ ...typed, phase: 'planning' });
const refused = viewOf({ ...typed, phase: 'over', outcome });
const type = async (line: string): Promise<string> => (await at.slack.drive.as('U0OPERATOR').command(CHANNEL, line)).shown?.text ?? '';
function told(): readonly string[] {
  return at.slack.drive
    .as('U0OPERATOR')
    .ephemerals()
    .map(({ text }) => text);
}

test('a name that does not exist is refused in the answer, with commands to paste, and never said to have started', async () => {
  at.played.described = { kind: 'view', view: planning };
  setTimeout(() => (at.played.described = { kind: 'view', view: refused }), 200);
  const words = await type('/mesh canary bakend 10%');
  expect(words).toContain('names the Service bakend');
  expect(words).toContain('Nothing was changed.');
  expect(words).toContain('Run: `/mesh canary backend 10%` or `/mesh canary backend-canary 10%`');
  const [shown] = at.slack.drive.as('U0OPERATOR').ephemerals();
  expect(JSON.stringify(shown?.blocks)).toContain('"text":"backend/backend-canary"');
  expect(words).not.toMatch(/started/);
  expect(told()).toHaveLength(1);
  expect(at.slack.drive.messages(CHANNEL)).toEqual([]);
  expect(at.refused).toEqual(['NoRoute']);
});

test('a refusal that is known later is told later, to the same person', async () => {
  at.played.described = { kind: 'view', view: planning };
  const words = await type('/mesh canary bakend 10%');
  expect(words).toContain('has started');
  at.played.described = { kind: 'view', view: refused };
  await at.slack.drive.waitFor(() => told().length > 1);
  expect(told().at(-1)).toContain('Run: `/mesh canary backend 10%`');
});

test('an operation that the channel sees is not refused in private too', async () => {
  const message = { channelId: CHANNEL, ts: '1.1' };
  at.played.described = { kind: 'view', view: { ...refused, message } };
  expect(await type('/mesh canary bakend 10%')).toContain('has started');
  await at.idle();
  expect(told()).toHaveLength(1);
});
