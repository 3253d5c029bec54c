import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { ACTION } from '../../../src/domain/lifecycle/button.ts';
import { flowsOf, GOOD } from '../policy/played.ts';
import { CHANNEL, postRoot, pressAndSay, type Stage, stage, viewOf } from '../stage.ts';

let at: Stage;
beforeEach(async () => {
  at = await stage();
});
afterEach(async () => {
  await at[Symbol.asyncDispose]();
});

const person = (id = 'U0OPERATOR') => at.slack.drive.as(id, { staleSession: true });
async function opened(line: string, id?: string) {
  await person(id).command(CHANNEL, line);
  const view = person(id).views()[0];
  if (!view) throw new Error(`no form: ${person(id).ephemerals().at(-1)?.text}`);
  return view;
}
const shown = (id?: string): string => JSON.stringify(person(id).views()[0]?.view);
const told = (id?: string): string => person(id).ephemerals().at(-1)?.text ?? '';

/** What the field offers for what was typed: words by value. */
async function offers(viewId: string, name: string, typed = '', id?: string): Promise<Readonly<Record<string, string>>> {
  const element = { type: 'external_select', action_id: `meshops-form:${name}`, block_id: name };
  const { ack, error } = await person(id).suggest({ viewId }, element, typed);
  expect(error).toBeUndefined();
  const { options } = ack as { options: { value: string; text: { text: string }; description?: { text: string } }[] };
  return Object.fromEntries(options.map(({ value, text, description }) => [value, `${text.text}: ${description?.text}`]));
}
const service = (value: string) => ({ text: { type: 'plain_text', text: value }, value });

describe('Start a canary', () => {
  test('offers the Services that routes split, with the share of their canary, where this person may read', async () => {
    const { id } = await opened('/mesh canary');
    expect(await offers(id, 'service')).toEqual({
      'demo/backend/backend': 'backend/backend: backend-canary has 0%',
      'demo/shop/cart': 'shop/cart: cart-canary has 10%',
    });
    expect(await offers(id, 'service', 'car')).toEqual({ 'demo/shop/cart': 'shop/cart: cart-canary has 10%' });
    at.played.unreadable.push('meshops:operator@example.com shop');
    at.ahead = 61_000;
    expect(Object.keys(await offers(id, 'service'))).toEqual(['demo/backend/backend']);
  });

  test('asks the cluster once in a minute who may read what, however much is typed', async () => {
    const { id } = await opened('/mesh canary');
    for (const typed of ['', 'b', 'ba', 'bac', 'back']) await offers(id, 'service', typed);
    expect(at.played.askedRights).toBe(2);
  });

  test('offers nothing out of the channel’s scope', async () => {
    await at[Symbol.asyncDispose]();
    at = await stage({ channels: [{ id: CHANNEL, cluster: 'demo', namespace: 'backend', scope: ['demo/backend'] }] });
    const { id } = await opened('/mesh canary');
    expect(Object.keys(await offers(id, 'service'))).toEqual(['demo/backend/backend']);
  });

  test('says what the share means for each Service before anything is planned, and who must approve', async () => {
    const { id } = await opened('/mesh canary');
    await person().clickInView(id, 'meshops-form:service', { value: service('demo/backend/backend'), values: { percent: '10' } });
    await at.slack.drive.waitFor(() => shown().includes('→'), { what: 'the preview' });
    expect(shown()).toContain('*backend* 100% → 90%, *backend-canary* 0% → 10%.');
    expect(shown()).toContain('Needs 1 approval by <!subteam^S0REVIEWERS>.');
    expect(at.played.begins).toEqual([]);
  });

  test('begins the operation that the fields say, as if it had been typed', async () => {
    const { id } = await opened('/mesh canary');
    const values = { service: service('demo/shop/cart'), percent: '12.5', steps: '5, 10', soak: '2m', reason: 'say "new" cache' };
    expect((await person().submitModal(id, values)).ok).toBe(true);
    await at.idle();
    expect(at.played.begins).toMatchObject([
      {
        text: '/mesh canary shop/cart 12.5% --steps 5,10 --soak 2m --reason "say \'new\' cache"',
        target: { cluster: 'demo', namespace: 'shop', name: 'cart' },
        reason: "say 'new' cache",
        requester: { id: 'operator@example.com' },
      },
    ]);
    expect(told()).toContain('has started');
    await at.slack.drive.replay(at.slack.drive.lastRequest(), 2);
    await at.idle();
    expect(at.played.begins).toHaveLength(1);
  });

  test('says at the field what is wrong there, and begins nothing', async () => {
    const { id } = await opened('/mesh canary');
    const wrong = async (values: Record<string, unknown>) => (await person().submitModal(id, values as never)).errors;
    const right = { service: service('demo/backend/backend'), percent: '10' };
    expect(await wrong({ ...right, percent: '0.55' })).toEqual({ percent: 'Expected a percent from 0 to 100, in steps of 0.1.' });
    expect(await wrong({ ...right, steps: 'five' })).toMatchObject({ steps: expect.stringContaining('rising percents') });
    expect(await wrong({ ...right, steps: '5,50' })).toEqual({ steps: 'These go beyond the 10% that is asked for.' });
    expect(await wrong({ ...right, service: service('prod/backend/backend') })).toMatchObject({
      service: expect.stringContaining('no cluster'),
    });
    expect(at.played.begins).toEqual([]);
  });

  test('has the Service that was given already', async () => {
    await opened('/mesh canary cart');
    expect(shown()).toContain('"value":"demo/backend/cart"');
  });

  test('opens from a button of help, and where Slack opens nothing the words say what is missing', async () => {
    const help = await person().command(CHANNEL, '/mesh help');
    await person().click(CHANNEL, help.shown?.ts ?? '', 'meshops-open:canary');
    await at.slack.drive.waitFor(() => person().views()[0]);
    expect(shown()).toContain('Start a canary');
    at.slack.faults.rateLimited(1, ['views.open']);
    await person('U0REVIEWER').command(CHANNEL, '/mesh canary');
    expect(told('U0REVIEWER')).toContain('Canary of which service, how much? `canary backend 10%` Nothing was changed.');
  });

  test('does not open for guests, nor where the channel does not have the command', async () => {
    await person('U0GUEST').command(CHANNEL, '/mesh canary');
    expect(person('U0GUEST').views()).toEqual([]);
    await at[Symbol.asyncDispose]();
    at = await stage({ channels: [{ id: CHANNEL, cluster: 'demo', namespace: 'backend', verbs: ['status'] }] });
    await person().command(CHANNEL, '/mesh canary');
    expect(person().views()).toEqual([]);
  });
});

describe('Enforce a policy', () => {
  test('offers workloads, those with a policy file first', async () => {
    const { id } = await opened('/policy enforce');
    expect(Object.entries(await offers(id, 'workload'))).toEqual([
      ['demo/backend/backend', 'backend/backend: ConfigMap backend/policies'],
      ['demo/backend/database', 'backend/database: no policy file'],
    ]);
  });

  test('says what the policy of the chosen workload would drop, and takes what is accepted', async () => {
    at.policy.texts.set('backend/backend', GOOD);
    at.policy.flows = flowsOf({ from: ['external', 'external'], to: ['backend', 'backend'], port: 8080, count: 3 } as never);
    const { id } = await opened('/policy enforce');
    await person().clickInView(id, 'meshops-form:workload', { value: service('demo/backend/backend') });
    await at.slack.drive.waitFor(() => shown().includes('sha') || shown().includes('Policy from'), { what: 'the preview' });
    expect(shown()).toContain('Policy from ConfigMap backend/policies (backend.yaml)');
    expect(shown()).toContain('Dry-run:');
  });

  test('begins what the fields say', async () => {
    at.policy.texts.set('backend/backend', GOOD);
    const { id } = await opened('/policy enforce');
    expect((await person().submitModal(id, { workload: service('demo/backend/backend'), observe: 'none', reason: 'audit' })).ok).toBe(true);
    await at.idle();
    expect(at.played.begins).toMatchObject([
      { verb: 'policy', reason: 'audit', text: '/mesh policy enforce backend --no-observe --reason "audit"' },
    ]);
  });
});

describe('why', () => {
  test('is asked where an operation is aborted, and need not be said', async () => {
    const root = await postRoot(at);
    at.played.described = { kind: 'view', view: viewOf() };
    await person('U0REVIEWER').click(CHANNEL, root, ACTION.abort);
    await at.slack.drive.waitFor(() => person('U0REVIEWER').views()[0]);
    expect(shown('U0REVIEWER')).toContain('Now: 10% is in place. Everything it changed is rolled back. No approval needed.');
    expect(at.played.aborts).toEqual([]);
    await person('U0REVIEWER').submitModal(person('U0REVIEWER').views()[0]?.id ?? '', { reason: 'errors in the logs' });
    await at.idle();
    await pressAndSay(at, root, ACTION.abort, 'U0OPERATOR');
    expect(at.played.aborts.map(({ by }) => by.reason)).toEqual(['errors in the logs', 'button']);
  });

  test('says of a rejection what stays, also at a second gate', async () => {
    const root = await postRoot(at);
    const waits = async (stages: ReturnType<typeof viewOf>['stages']): Promise<string> => {
      at.played.described = { kind: 'view', view: viewOf({ phase: 'waiting', stages }) };
      await person('U0REVIEWER').click(CHANNEL, root, ACTION.reject);
      await at.slack.drive.waitFor(() => person('U0REVIEWER').views()[0]);
      const words = shown('U0REVIEWER');
      await person('U0REVIEWER').closeModal();
      return words;
    };
    const stages = [{ number: 1, label: '10%', exposure: 0.1, state: 'passed' as const, startedAt: 1 }];
    expect(await waits([])).toContain('Nothing has been changed; it ends.');
    expect(await waits(stages)).toContain('10% stays in place.');
  });
});
