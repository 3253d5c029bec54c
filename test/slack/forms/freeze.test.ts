import { afterEach, beforeEach, expect, test } from 'vitest';
import { CHANNEL, type Stage, stage, WORKFLOW } from '../stage.ts';

let at: Stage;
beforeEach(async () => {
  at = await stage();
});
afterEach(async () => {
  await at[Symbol.asyncDispose]();
});

const operator = () => at.slack.drive.as('U0OPERATOR');
const scopeOption = (value: string) => ({ text: { type: 'plain_text', text: value }, value });

/** Opened by its button in the help on what guards. */
async function opened(): Promise<string> {
  await operator().command(CHANNEL, '/mesh help freeze');
  const help = operator().ephemerals().at(-1);
  await operator().click(CHANNEL, help?.ts ?? '', 'meshops-open:freeze');
  const view = await at.slack.drive.waitFor(() => operator().views()[0], { what: 'the form' });
  return view.id;
}

async function offers(viewId: string, typed = ''): Promise<readonly string[]> {
  const element = { type: 'external_select', action_id: 'meshops-form:scope', block_id: 'scope' };
  const { ack } = await operator().suggest({ viewId }, element, typed);
  return (ack as { readonly options: readonly { readonly value: string }[] }).options.map(({ value }) => value);
}

test('offers what the channel may name and this person may read, and what is typed out', async () => {
  const id = await opened();
  expect(await offers(id)).toEqual(['*', 'demo', 'demo/backend', 'demo/shop']);
  expect(await offers(id, 'demo/backend/backend')).toEqual(['demo/backend/backend']);
  at.played.unreadable.push('meshops:operator@example.com shop');
  at.ahead = 61_000;
  expect(await offers(id)).toEqual(['*', 'demo', 'demo/backend']);
});

test('says what it stops, and sets the freeze as the command would', async () => {
  const id = await opened();
  at.played.running = { workflowId: WORKFLOW, runId: 'run-1', verb: 'canary' };
  await operator().clickInView(id, 'meshops-form:scope', { value: scopeOption('demo/backend') });
  await at.slack.drive.waitFor(() => JSON.stringify(operator().views()[0]?.view).includes('next steps of 1 running operation'), {
    what: 'what it stops',
  });
  const wrong = await operator().submitModal(id, { scope: scopeOption('demo/backend'), length: '2h' });
  expect(wrong.ok && Object.keys(wrong.errors ?? {}).length === 0).toBe(false);
  const sent = await operator().submitModal(id, {
    scope: scopeOption('demo/backend'),
    length: '2h',
    reason: 'don\'t ship: release "weekend"',
  });
  expect(sent.ok).toBe(true);
  await at.idle();
  const [posted] = at.slack.drive.messages(CHANNEL);
  expect(posted?.text).toMatch(/`demo\/backend` is frozen until .* by Operator: don't ship: release weekend/);
});

test('opens where nothing confines the channel for everything, elsewhere not', async () => {
  await at[Symbol.asyncDispose]();
  at = await stage({ channels: [{ id: CHANNEL, cluster: 'demo', namespace: 'backend', scope: ['demo/backend'] }] });
  expect(await offers(await opened())).toEqual(['demo/backend']);
});
