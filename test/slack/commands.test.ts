import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { signedHeaders } from '../../playground/slack/signature.ts';
import { CHANNEL, completedIn, type Stage, stage, viewOf, WORKFLOW } from './stage.ts';

let at: Stage;
beforeEach(async () => {
  at = await stage();
});
afterEach(async () => {
  await at[Symbol.asyncDispose]();
});
async function type(line: string, who = 'U0OPERATOR'): Promise<string> {
  return (await at.slack.drive.as(who, { staleSession: true }).command(CHANNEL, line)).shown?.text ?? '';
}

describe('a command that changes the mesh', () => {
  test('starts before it is acknowledged, with everything resolved', async () => {
    const words = await type('/mesh canary backend 10% --reason "new cache"');
    expect(words).toContain('*canary-k3f2* has started on `demo/backend/backend`');
    expect(at.played.begins).toMatchObject([
      {
        verb: 'canary',
        target: { cluster: 'demo', namespace: 'backend', name: 'backend' },
        change: { kind: 'shift', percent: 10 },
        text: '/mesh canary backend 10% --reason "new cache"',
        reason: 'new cache',
        requester: { id: 'operator@example.com', kubernetes: { user: 'meshops:operator@example.com', groups: ['mesh-operators'] } },
        channel: { teamId: 'T0MESHOPS', channelId: CHANNEL },
      },
    ]);
    expect(at.played.begins[0]?.settings.gates).toHaveLength(1);
  });

  test('is acknowledged far within three seconds, also when Temporal takes its whole time', async () => {
    at.played.begin = () => new Promise((resolve) => setTimeout(() => resolve({ kind: 'not-confirmed' }), 1_500));
    const outcome = await at.slack.drive.as('U0OPERATOR').command(CHANNEL, '/mesh canary backend 10%');
    expect(outcome.ok).toBe(true);
    expect(outcome.ackMs).toBeGreaterThan(1_400);
    expect(outcome.ackMs).toBeLessThan(2_600);
  });

  test('the same signed request three times begins once', async () => {
    const first = await type('/mesh canary backend 10%');
    await at.idle();
    const again = await at.slack.drive.replay(at.slack.drive.lastRequest(), 2);
    expect(at.played.begins).toHaveLength(1);
    for (const { ack } of again) expect(ack).toMatchObject({ text: expect.stringContaining(first) });
    expect(at.refused).toEqual(['Replay', 'Replay']);
  });

  test('three identical requests at the same moment begin once', async () => {
    await type('/mesh status');
    const { headers, body } = at.slack.drive.lastRequest();
    const fresh = body.replace('text=status', 'text=canary+backend+10%25').replace(/trigger_id=[^&]+/, 'trigger_id=1.2.same');
    const signed = { ...headers, ...signedHeaders(at.slack.signingSecret, fresh, Date.now()) };
    await Promise.all([1, 2, 3].map(() => fetch(at.url, { method: 'POST', headers: signed, body: fresh })));
    expect(at.played.begins).toHaveLength(1);
  });

  test.each([
    ['from the future', 90_000, 401],
    ['from the past', -6 * 60_000, 401],
    ['of a clock that is a little ahead', 30_000, 200],
  ])('a signature %s', async (_what, offset, status) => {
    await type('/mesh status');
    const { headers, body } = at.slack.drive.lastRequest();
    const signed = { ...headers, ...signedHeaders(at.slack.signingSecret, body, Date.now() + offset) };
    expect((await fetch(at.url, { method: 'POST', headers: signed, body })).status).toBe(status);
  });

  test('with a name that meshops.yaml does not have is not read', async () => {
    expect(await type('/deploy canary backend 10%')).toContain('`/deploy` is no command of meshops here; /mesh, /policy, /encryption are.');
    expect(at.played.begins).toEqual([]);
    expect(at.refused).toEqual(['OtherCommand']);
  });

  test('of another app is refused, also where the configuration names none', async () => {
    await type('/mesh status');
    const { headers, body } = at.slack.drive.lastRequest();
    const other = body
      .replace('text=status', 'text=canary+backend+10%25')
      .replace(/api_app_id=[^&]+/, 'api_app_id=A0OTHER')
      .replace(/trigger_id=[^&]+/, 'trigger_id=1.2.other');
    await fetch(at.url, {
      method: 'POST',
      headers: { ...headers, ...signedHeaders(at.slack.signingSecret, other, Date.now()) },
      body: other,
    });
    expect(at.played.begins).toEqual([]);
    expect(at.refused).toEqual(['OtherApp']);
  });

  test('what is not confirmed says so, and the truth follows', async () => {
    at.played.begin = async () => ({ kind: 'not-confirmed' });
    expect(await type('/mesh canary backend 10%')).toContain('*Not confirmed.*');
    await at.played.settled?.({ kind: 'begun', begun: { opId: 'canary-k3f2', runId: 'run-1', continued: false } });
    const told = at.slack.drive.as('U0OPERATOR').ephemerals().at(-1)?.text;
    expect(told).toContain('which was not confirmed: *canary-k3f2* has started');
  });

  test('what was taken, refused and over before anybody could be told is not said to have started', async () => {
    at.played.begin = async () => ({ kind: 'not-confirmed' });
    await type('/mesh canary backend 10%');
    await at.played.settled?.({ kind: 'ended', opId: 'canary-k3f2', outcome: 'impossible', words: 'demo is frozen. Nothing was changed.' });
    const told = at.slack.drive.as('U0OPERATOR').ephemerals().at(-1)?.text;
    expect(told).toContain('*canary-k3f2* took it and is over already');
    expect(told).toContain('demo is frozen. Nothing was changed.');
    expect(told).not.toContain('has started');
  });

  test('a busy target answers with what runs, who asked, and the way to its thread', async () => {
    const web = await fetch(`${at.slack.apiUrl}chat.postMessage`, {
      method: 'POST',
      headers: { authorization: `Bearer ${at.slack.botToken}`, 'content-type': 'application/json' },
      body: JSON.stringify({ channel: CHANNEL, text: 'root' }),
    });
    const { ts } = (await web.json()) as { ts: string };
    at.played.begin = async () => ({ kind: 'busy', view: viewOf({ message: { channelId: CHANNEL, ts } }) });
    const words = await type('/mesh canary backend 20%', 'U0REVIEWER');
    expect(words).toContain('`demo/backend/backend` is busy: *Canary backend/backend 10%: watching 10%* · `canary-k3f2`');
    expect(words).toContain('<@U0OPERATOR>');
    expect(words).toContain('watching 10%');
    expect(words).toMatch(/<http[^|]+\|Its thread>/);
  });

  test('a refusal of the workflow becomes its sentence', async () => {
    at.played.begin = async () => ({ kind: 'refused', code: 'RequestExpired', words: 'RequestExpired' });
    expect(await type('/mesh canary backend 10%')).toContain('arrived too late');
    at.played.begin = async () => ({ kind: 'refused', code: 'ClocksApart', words: 'ClocksApart' });
    expect(await type('/mesh canary backend 10%')).toMatch(/clocks .* over a minute apart.*Nothing was changed\..*doctor/);
  });

  test('a reason that no table has is shown as it came, and harmless', async () => {
    at.played.begin = async () => ({ kind: 'refused', code: 'Whatever', words: 'No room in <!channel> & elsewhere.' });
    expect(await type('/mesh canary backend 10%')).toBe('No room in &lt;!channel&gt; &amp; elsewhere.');
  });

  test('a client that breaks is told as broken, not as silence', async () => {
    at.played.begin = async () => {
      throw new Error('defect');
    };
    expect(await type('/mesh canary backend 10%')).toContain('Something in meshops broke');
  });

  test('what was typed cannot call a channel or fake a link', async () => {
    const words = await type('/mesh canary <!channel> 10%');
    expect(words).not.toContain('<!channel>');
    expect(words).toContain('&lt;!channel&gt;');
    expect(at.played.begins).toHaveLength(0);
  });

  test('a slip gets a correction', async () => {
    expect(await type('/mesh cannary backend 10%')).toContain('Did you mean `/mesh canary backend 10%`?');
  });
});

describe('stopping', () => {
  test('rollback of what runs rolls it back; of what is over asks for the way back', async () => {
    at.played.running = { workflowId: WORKFLOW, runId: 'run-1', verb: 'canary' };
    expect(await type('/mesh rollback backend')).toContain('is being rolled back');
    expect(at.played.aborts).toMatchObject([{ at: { runId: 'run-1' }, by: { actor: { id: 'operator@example.com' }, rollback: true } }]);
    at.played.running = undefined;
    await completedIn(at, 'canary-aaaa', [0, 10]);
    await type('/mesh rollback backend');
    expect(at.played.begins).toMatchObject([{ verb: 'canary', change: { kind: 'back', of: 'canary-aaaa' } }]);
  });

  test('a second rollback is told that it is back already, since when and by whom, and nothing begins', async () => {
    await completedIn(at, 'canary-aaaa', [0, 10], { endedAt: 1_000 });
    await completedIn(at, 'canary-back', [10, 0], { endedAt: Date.UTC(2026, 0, 1, 22, 4), change: { kind: 'back' } });
    expect(await type('/mesh rollback backend')).toMatch(
      /rolled back already, by canary-back, asked by operator@example.com, 2026-01-01 22:04/,
    );
    expect(await type('/mesh rollback catalog')).toContain('no completed operation on catalog');
    expect(at.played.begins).toEqual([]);
  });

  test('while a way back runs, a second one is told so, and does not abort it', async () => {
    at.played.running = { workflowId: WORKFLOW, runId: 'run-1', verb: 'canary' };
    at.played.described = { kind: 'view', view: viewOf({ opId: 'canary-back', takesBack: true }) };
    expect(await type('/mesh rollback backend')).toMatch(/being rolled back already: canary-back, asked by Operator/);
    expect(at.played.aborts).toEqual([]);
  });

  test('a name of two verbs is asked about, with a button for each', async () => {
    await completedIn(at, 'canary-aaaa', [0, 10]);
    await completedIn(at, 'policy-bbbb', [0, 1]);
    const outcome = await at.slack.drive.as('U0OPERATOR', { staleSession: true }).command(CHANNEL, '/mesh rollback backend');
    expect(outcome.shown?.text).toMatch(/2 operations .* could be meant/);
    expect(JSON.stringify(outcome.shown?.blocks)).toMatch(/Roll back the canary \(canary-aaaa\).*Roll back the policy \(policy-bbbb\)/);
    expect(at.played.begins).toEqual([]);
  });

  test('of a policy alone it is the policy, by its own verb', async () => {
    await completedIn(at, 'policy-bbbb', [0, 1]);
    await type('/mesh rollback backend');
    expect(at.played.begins).toMatchObject([{ verb: 'policy', change: { kind: 'back', of: 'policy-bbbb' } }]);
  });

  test('a running policy is rolled back only where nothing else could be meant', async () => {
    at.played.running = { workflowId: WORKFLOW, runId: 'run-1', verb: 'policy' };
    await completedIn(at, 'canary-aaaa', [0, 10]);
    expect(await type('/mesh rollback backend')).toContain('Which one?');
    expect(at.played.aborts).toEqual([]);
    await completedIn(at, 'canary-back', [10, 0], { endedAt: Date.now() + 1, change: { kind: 'back' } });
    await type('/mesh rollback backend');
    expect(at.played.aborts).toMatchObject([{ by: { rollback: true } }]);
  });

  test.each(['canary-k3f2', 'backend', 'demo/backend/backend'])('abort by %s', async (name) => {
    at.played.running = { workflowId: WORKFLOW, runId: 'run-1', verb: 'canary' };
    expect(await type(`/mesh abort ${name} too slow`)).toContain('is being stopped');
    expect(at.played.aborts).toMatchObject([{ by: { reason: 'too slow' } }]);
  });

  test.each(['abort', 'rollback'])('%s of what has its outcome, and waits only to be told, says that nothing is stopped', async (verb) => {
    const outcome = { kind: 'completed', code: 'Completed', words: 'All stages are in force.' } as const;
    at.played.running = { workflowId: WORKFLOW, runId: 'run-1', verb: 'canary' };
    at.played.described = { kind: 'view', view: viewOf({ phase: 'over', outcome }) };
    expect(await type(`/mesh ${verb} backend`)).toMatch(/is over already \(completed\); there was nothing to stop/);
  });

  test('abort of nothing says so', async () => {
    expect(await type('/mesh abort backend')).toContain('Nothing runs on `demo/backend/backend`');
  });
});

describe('seeing', () => {
  test('status names what runs and how the last one ended', async () => {
    const target = { cluster: 'demo', namespace: 'backend', name: 'backend' };
    const data = { kind: 'rolled-back', words: 'The canary failed 12 of 40.' };
    await at.audit.append([{ key: 'o', at: 1, kind: 'outcome', opId: 'canary-aaaa', target, data }]);
    at.played.described = { kind: 'view', view: viewOf() };
    const words = await type('/mesh status backend');
    expect(words).toContain('*Canary backend/backend 10%: watching 10%* · `canary-k3f2`');
    expect(words).toContain('ended rolled-back');
    expect(words).toContain('The canary failed 12 of 40.');
  });

  test('status without a service lists what runs', async () => {
    expect(await type('/mesh status')).toBe('No operation runs.');
    at.played.running = { workflowId: WORKFLOW, runId: 'run-1', verb: 'canary' };
    at.played.described = { kind: 'silent' };
    expect(await type('/mesh status')).toContain('no worker answers');
  });

  test.each(['/mesh help', '/mesh help canary', '/mesh'])('%s explains', async (line) => {
    expect(await type(line)).toContain('canary');
  });

  test('/encryption help explains what there is of it', async () => {
    expect(await type('/encryption help')).toContain('encryption status');
  });
});

describe('who and where', () => {
  test.each([
    ['U0GUEST', 'Guest', 'Guests cannot use meshops'],
    ['U0OUTSIDE', 'Stranger', 'other organisations'],
    ['U0GONE', 'Deactivated', 'deactivated'],
    ['U0MESHOPS', 'Bot', 'Bots and apps'],
  ])('%s is refused as %s', async (who, code, words) => {
    expect(await type('/mesh canary backend 10%', who)).toContain(words);
    expect(at.played.begins).toHaveLength(0);
    expect(at.refused).toEqual([code]);
    await at.idle();
    expect(await at.audit.verify()).toMatchObject({ kind: 'intact', records: 1 });
  });

  test('an account without a visible address is refused', async () => {
    const { email: _email, ...rest } = { email: undefined };
    at.slack.drive.setUser('U0REVIEWER2', { ...rest, email: '' });
    expect(await type('/mesh canary backend 10%', 'U0REVIEWER2')).toContain('users:read.email');
  });

  test('a channel that is not set up, and one shared with others', async () => {
    at.slack.drive.putChannel({ id: 'C0OTHER', name: 'other', members: ['U0OPERATOR', 'U0MESHOPS'] });
    const outcome = await at.slack.drive.as('U0OPERATOR').command('C0OTHER', '/mesh status');
    expect(outcome.shown?.text).toContain('not set up for meshops');
    at.slack.drive.putChannel({ id: CHANNEL, name: 'mesh', members: ['U0OPERATOR', 'U0MESHOPS'], isExtShared: true });
    expect(await type('/mesh canary backend 10%')).toContain('shared with another organisation');
    expect(at.played.begins).toHaveLength(0);
  });

  test('where the bot is not in the channel, nothing begins that somebody there would have to approve', async () => {
    at.slack.drive.putChannel({ id: CHANNEL, name: 'mesh', members: ['U0OPERATOR'] });
    expect(await type('/mesh canary backend 10%')).toMatch(
      /not in this channel, so nobody could see its plan here or approve it. Nothing was changed. Invite it/,
    );
    expect(at.played.begins).toEqual([]);
    at.played.running = { workflowId: WORKFLOW, runId: 'run-1', verb: 'canary' };
    expect(await type('/mesh abort backend')).toContain('is being stopped');
  });

  test('when Slack does not say who somebody is, nothing is done', async () => {
    at.slack.faults.rateLimited(1, ['users.info']);
    expect(await type('/mesh canary backend 10%')).toContain('Slack did not say who you are');
    expect(at.played.begins).toHaveLength(0);
  });
});

test('a channel may be limited to some verbs, and somebody without an identity changes nothing', async () => {
  await using other = await stage({
    channels: [{ id: CHANNEL, cluster: 'demo', namespace: 'backend', verbs: ['status', 'promote'] }],
    identities: { rules: [{ email: 'reviewer@example.com' }] },
  });
  const { drive } = other.slack;
  expect((await drive.as('U0OPERATOR').command(CHANNEL, '/mesh canary backend 10%')).shown?.text).toContain(
    '`canary` is not allowed in this channel',
  );
  expect((await drive.as('U0OPERATOR').command(CHANNEL, '/mesh promote backend')).shown?.text).toContain(
    'does not say who operator@example.com is',
  );
  expect(other.played.begins).toHaveLength(0);
});

test('in Socket Mode too: a command begins once, also when its envelope comes twice', async () => {
  await using other = await stage({}, 'socket');
  const { drive } = other.slack;
  expect((await drive.as('U0OPERATOR').command(CHANNEL, '/mesh canary backend 10%')).shown?.text).toContain('has started');
  await other.idle();
  await drive.replay(drive.lastRequest());
  expect(other.played.begins).toHaveLength(1);
  expect(other.isConnected()).toBe(true);
  await other.slack.faults.down('refuse');
  await vi.waitFor(() => expect(other.isConnected()).toBe(false), 5_000);
  await other.slack.faults.clear();
  await vi.waitFor(() => expect(other.isConnected()).toBe(true), 15_000);
});
