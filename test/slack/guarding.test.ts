import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { CHANNEL, postRoot, type Stage, stage, viewOf, WORKFLOW } from './stage.ts';

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

/** What the channel read last. */
const posted = (): string => at.slack.drive.messages(CHANNEL).at(-1)?.text ?? '';

test('a freeze is set, told to the channel, listed, lifted, and recorded each time', async () => {
  // Once: who set it reads it in the channel, and gets no copy.
  expect(await type('/mesh freeze demo/backend 2h release <weekend>')).toBe('');
  expect(posted()).toMatch(/`demo\/backend` is frozen until .* by Operator: release &lt;weekend&gt;/);
  expect(await type('/mesh freeze')).toContain('by Operator');
  expect(await type('/mesh status backend')).toMatch(/Frozen: `demo\/backend` is frozen until .* by Operator: release/);
  expect(await type('/mesh unfreeze demo/backend', 'U0REVIEWER')).toBe('');
  expect(posted()).toBe('*The freeze of `demo/backend` ended early*, by Reviewer.');
  expect(at.slack.drive.messages(CHANNEL)).toHaveLength(2);
  expect(await type('/mesh freeze')).toBe('Nothing is frozen.');
  expect(await type('/mesh unfreeze demo/backend')).toContain('No freeze holds');
  expect(await at.audit.verify()).toMatchObject({ kind: 'intact', records: 2 });
});

test('a channel that Slack asks to wait a second with is told of a freeze all the same', async () => {
  at.slack.faults.rateLimited(1, ['chat.postMessage']);
  const typed = type('/mesh freeze demo/backend 2h release');
  await expect.poll(() => at.slack.log.refusals().length).toBe(1);
  at.slack.faults.rateLimited(false);
  expect(await typed).toBe('');
  expect(posted()).toContain('is frozen until');
});

test('a freeze that is lifted twice is told twice, and Slack sees no post that came twice', async () => {
  for (const reason of ['first', 'second']) {
    await type(`/mesh freeze demo/backend 2h ${reason}`);
    await type('/mesh unfreeze demo/backend');
  }
  const lifted = at.slack.drive.messages(CHANNEL).filter(({ text }) => text.includes('ended early'));
  expect(lifted).toHaveLength(2);
  expect(at.slack.log.duplicatePosts()).toEqual([]);
});

test('a freeze is lifted or replaced by who set it and by approvers, by nobody else, and the refusal says who', async () => {
  await type('/mesh freeze demo/backend 2h release', 'U0REVIEWER');
  const refused = await type('/mesh unfreeze demo/backend');
  expect(refused).toContain(
    'demo/backend was frozen by Reviewer, and the rules do not name you as an approver there. Nothing was changed.',
  );
  expect(refused).toContain('by Reviewer or Second reviewer.');
  expect(await type('/mesh freeze demo/backend 1s mine')).toContain('was frozen by Reviewer');
  expect(await type('/mesh freeze')).toContain('by Reviewer: release');
  expect(at.refused).toEqual(['NotLiftable', 'NotLiftable']);
  await type('/mesh freeze demo/backend 1h shorter', 'U0REVIEWER2');
  expect(posted()).toContain('by Second reviewer: shorter');
  await type('/mesh unfreeze demo/backend', 'U0REVIEWER');
  expect(posted()).toContain('ended early*, by Reviewer');
  await type('/mesh freeze * 2h mine');
  await type('/mesh unfreeze *');
  expect(posted()).toContain('The freeze of everything ended early');
});

test('what goes on after a freeze is said by name, and only what really does', async () => {
  await type('/mesh freeze demo/backend 2h release');
  const frozen = { scope: 'demo/backend', reason: 'release', by: { id: 'operator@example.com', name: 'Operator' }, setAt: 1, until: 2 };
  at.played.running = { workflowId: WORKFLOW, runId: 'run-1', verb: 'canary' };
  at.played.described = { kind: 'view', view: viewOf({ phase: 'holding', frozen }) };
  await type('/mesh unfreeze demo/backend');
  expect(posted()).toBe('*The freeze of `demo/backend` ended early*, by Operator. 1 operation goes on: canary-k3f2.');
  await type('/mesh freeze demo 2h all of it');
  await type('/mesh freeze demo/backend 2h release');
  await type('/mesh unfreeze demo/backend');
  expect(posted()).toBe('*The freeze of `demo/backend` ended early*, by Operator.');
});

test('a channel that cannot be posted to: who set the freeze is answered', async () => {
  at.slack.faults.rateLimited(1, ['chat.postMessage']);
  expect(await type('/mesh freeze demo/backend 2h release')).toContain('is frozen until');
});

test('where Slack does not say who is in the group, nobody of it lifts a freeze', async () => {
  await using lost = await stage({ gates: [{ approvers: { usergroups: ['S0NOBODY'] } }] });
  const ask = async (line: string, who: string): Promise<string> =>
    (await lost.slack.drive.as(who, { staleSession: true }).command(CHANNEL, line)).shown?.text ?? '';
  await ask('/mesh freeze demo 2h x', 'U0OPERATOR');
  expect(await ask('/mesh unfreeze demo', 'U0REVIEWER')).toContain('Slack did not say who you are');
  expect(await ask('/mesh freeze', 'U0REVIEWER')).toContain('by Operator');
});

test('a freeze of the file is listed and told as such, and no command lifts it', async () => {
  const from = new Date(Date.now() - 60_000).toISOString();
  const until = new Date(Date.now() + 3_600_000).toISOString();
  await using frozen = await stage({ freezes: [{ scope: 'demo/backend', from, until, reason: 'end of the <year>' }] });
  const ask = async (line: string): Promise<string> =>
    (await frozen.slack.drive.as('U0REVIEWER', { staleSession: true }).command(CHANNEL, line)).shown?.text ?? '';
  expect(await ask('/mesh status backend')).toMatch(/Frozen: `demo\/backend` is frozen until .* by meshops\.yaml: end of the &lt;year&gt;/);
  expect(await ask('/mesh freeze')).toContain('by meshops.yaml');
  expect(await ask('/mesh unfreeze demo/backend')).toContain('stands in the configuration. Nothing was changed');
  await ask('/mesh freeze demo/backend 2h incident');
  await ask('/mesh unfreeze demo/backend');
  const told = frozen.slack.drive.messages(CHANNEL).at(-1)?.text;
  expect(told).toContain('ended early*, by Reviewer. The one that stands in `meshops.yaml` holds on');
  expect(await ask('/mesh freeze')).toContain('end of the &lt;year&gt;');
});

test('a scope of an unknown cluster freezes nothing', async () => {
  expect(await type('/mesh freeze prod 2h x')).toContain('There is no cluster `prod`');
  expect(await type('/mesh freeze')).toBe('Nothing is frozen.');
});

test('a scope that the cluster does not have freezes nothing, and the channel hears of nothing', async () => {
  expect(await type('/mesh freeze demo/bakend 2h x')).toContain('There is no namespace bakend in demo. Nothing is frozen by this.');
  expect(await type('/mesh freeze')).toBe('Nothing is frozen.');
  expect(at.slack.drive.messages(CHANNEL).filter(({ text }) => text.includes('is frozen'))).toEqual([]);
});

test('guests can neither freeze nor lift', async () => {
  await type('/mesh freeze * 2h x');
  expect(await type('/mesh unfreeze *', 'U0GUEST')).toContain('Guests cannot use meshops');
  expect(await type('/mesh freeze')).toContain('Everything');
});

test('release is handed to the operation with who asks', async () => {
  at.played.running = { workflowId: WORKFLOW, runId: 'run-1', verb: 'canary' };
  expect(await type('/mesh release canary-k3f2 the cluster is gone', 'U0REVIEWER')).toContain('One more approver has to');
  expect(await type('/mesh release canary-k3f2', 'U0REVIEWER2')).toContain('is released and ends as abandoned');
  expect(at.played.releases.map(({ by }) => [by.actor.id, by.reason])).toEqual([
    ['reviewer@example.com', 'the cluster is gone'],
    ['reviewer2@example.com', undefined],
  ]);
  expect(await type('/mesh release canary-gone1', 'U0REVIEWER')).toContain('There is no operation');
});

test('history shows what was asked and how it ended, and only what the channel may see', async () => {
  const target = { cluster: 'demo', namespace: 'backend', name: 'backend' };
  const counts = { canary: { requests: 1_000, failures: 20 }, stable: { requests: 9_000, failures: 9 } };
  const base = { opId: 'canary-old111', target };
  await at.audit.append([
    { ...base, key: 'a', at: 1, kind: 'request', actor: 'operator@example.com', data: { text: '/mesh canary backend 10%' } },
    { ...base, key: 'b', at: 2, kind: 'outcome', data: { kind: 'rolled-back', words: 'It failed.', counts } },
  ]);
  const words = await type('/mesh history backend');
  expect(words).toContain('rolled back');
  expect(words).toMatch(/`\/mesh canary backend 10%` by operator@/);
  expect(words).toContain('1,000 requests to the canary, 20 failed (2%); 9,000 requests to stable, 9 failed (0.1%).');
  expect(await type('/mesh history frontend/frontend')).toContain('No operation is recorded');
});

describe('history', () => {
  const past = async (opId: string, namespace: string, at_: number, actor: string, kind: string): Promise<void> => {
    const base = { opId, target: { cluster: 'demo', namespace, name: 'backend' } };
    await at.audit.append([
      { ...base, key: `${opId}/1`, at: at_, kind: 'request', actor, data: { text: `/mesh ${opId}` } },
      { ...base, key: `${opId}/2`, at: at_ + 1, kind: 'outcome', data: { kind, words: 'Over.' } },
    ]);
  };
  const shown = async (line: string): Promise<readonly string[]> =>
    [...(await type(line)).matchAll(/`\/mesh ([a-z]+-[a-z0-9]+)`/g)].map(([, id = '']) => id);
  const DAY = 86_400_000;

  test('shows fewer by who asked, kind, outcome and time', async () => {
    await past('canary-aaaa', 'backend', Date.now() - 9 * DAY, 'operator@example.com', 'completed');
    await past('canary-bbbb', 'backend', Date.now() - DAY, 'operator@example.com', 'rolled-back');
    await past('policy-cccc', 'backend', Date.now() - 2 * DAY, 'operator2@example.com', 'completed');
    expect(await shown('/mesh history backend')).toEqual(['canary-bbbb', 'policy-cccc', 'canary-aaaa']);
    expect(await shown('/mesh history --who operator')).toEqual(['canary-bbbb', 'canary-aaaa']);
    expect(await shown('/mesh history --who operator2@example.com')).toEqual(['policy-cccc']);
    expect(await shown('/mesh history --verb policy')).toEqual(['policy-cccc']);
    expect(await shown('/mesh history backend --outcome completed --since 7d')).toEqual(['policy-cccc']);
    expect(await type('/mesh history --outcome rejected')).toContain('No such operation is recorded.');
    expect(await type('/mesh history --outcome roled-back')).toContain('Did you mean `/mesh history --outcome rolled-back`?');
  });

  test('has ten that the channel may see, however many others are newer', async () => {
    await at[Symbol.asyncDispose]();
    at = await stage({ channels: [{ id: CHANNEL, cluster: 'demo', namespace: 'backend', scope: ['demo/backend'] }] });
    await past('canary-aaaa', 'backend', 1, 'operator@example.com', 'completed');
    for (let one = 0; one < 12; one += 1) await past(`canary-bbb${one}`, 'shop', 2 + one, 'operator@example.com', 'completed');
    expect(await shown('/mesh history')).toEqual(['canary-aaaa']);
  });
});

test('header A/B and the wider canary are asked for as such', async () => {
  await type('/mesh ab backend X-Canary=yes');
  await type('/mesh ab backend off');
  await type('/mesh canary backend/backend-canary 10% --include-other-namespaces');
  expect(at.played.begins.map((request) => request.change)).toEqual([
    { kind: 'ab', header: { name: 'x-canary', value: 'yes' } },
    { kind: 'ab' },
    { kind: 'shift', percent: 10, explicit: true, includeOthers: true },
  ]);
});

test.each(['adopt', 'restore', 'leave'] as const)('the button %s is the decision %s', async (choice) => {
  const ts = await postRoot(at);
  await at.slack.drive.as('U0REVIEWER', { staleSession: true }).click(CHANNEL, ts, `meshops:${choice}`);
  await at.idle();
  expect(at.played.decisions).toMatchObject([{ choice, actor: { id: 'reviewer@example.com' } }]);
});

test('"canary to 0%" asks for a new operation', async () => {
  const ts = await postRoot(at);
  await at.slack.drive.as('U0OPERATOR', { staleSession: true }).click(CHANNEL, ts, 'meshops:next-zero');
  await at.idle();
  expect(at.played.begins).toMatchObject([{ change: { kind: 'shift', percent: 0 }, text: '/mesh canary demo/backend/backend 0%' }]);
});
