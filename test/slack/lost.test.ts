import { describe, expect, it, test } from 'vitest';
import { ACTION } from '../../src/domain/lifecycle/button.ts';
import { sentence } from '../../src/domain/words/sentences.ts';
import { operator, request } from '../support/operations.ts';
import { CHANNEL, postRoot, type Stage, stage, viewOf } from './stage.ts';

/** An operation whose run was terminated by hand: no word leads to a dead end. */

const OP = 'canary-k3f2aa';
const { target, change, channel } = request();

async function terminated(at: Stage): Promise<void> {
  const object = { apiVersion: 'gateway.networking.k8s.io/v1', kind: 'HTTPRoute', namespace: 'backend', name: 'backend' };
  const write = { object, uid: 'uid-1', generation: 1, before: { '/w': 0 }, after: { '/w': 10 } };
  const original = { object, uid: 'uid-1', fields: { '/w': 0 }, token: null, digest: 'd' };
  const undo = { firstStage: 1, originals: [original], stages: [{ number: 1, label: '10%', exposure: 0.1, writes: [write] }] };
  const base = { opId: OP, target, at: 1 };
  await at.audit.append([
    {
      ...base,
      key: `${OP}/1`,
      kind: 'request',
      actor: operator.id,
      data: { text: '/mesh canary backend 10%', change, verb: 'canary', runId: 'run-1', requester: operator, channel } as never,
    },
    { ...base, key: `${OP}/2`, kind: 'plan', data: { from: 'backend 100%', to: 'backend 90%', planHash: 'h', undo } as never },
  ]);
  at.played.fate = { kind: 'lost', how: 'terminated', seen: viewOf({ opId: OP }) };
}

const heard = (at: Stage): string => at.slack.drive.as('U0REVIEWER').ephemerals().at(-1)?.text ?? '';

test.each([
  ['abort with the id', `/mesh abort ${OP}`],
  ['abort with the service', '/mesh abort backend'],
  ['rollback', '/mesh rollback backend'],
  ['0%', '/mesh canary backend 0%'],
  ['release', `/mesh release ${OP}`],
])('%s rolls it back', async (_name, line) => {
  await using at = await stage();
  await terminated(at);
  await at.slack.drive.as('U0REVIEWER').command(CHANNEL, line);
  await at.idle();
  expect(heard(at)).toContain(`*${OP}* is rolled back: its own run is gone (terminated)`);
  expect(at.played.begins).toMatchObject([
    { target, recovery: { opId: OP, by: { id: 'reviewer@example.com' }, originals: [{ uid: 'uid-1' }] } },
  ]);
});

describe('the button Keep it', () => {
  async function pressed(at: Stage, by: string): Promise<string> {
    await terminated(at);
    await at.slack.drive.as(by).click(CHANNEL, await postRoot(at, OP), ACTION.keep);
    await at.idle();
    return at.slack.drive.as(by).ephemerals().at(-1)?.text ?? '';
  }

  it('starts the run that keeps it, for an approver', async () => {
    await using at = await stage();
    expect(await pressed(at, 'U0REVIEWER')).toContain(`*${OP}* stays as it is`);
    expect(at.played.begins).toMatchObject([{ recovery: { opId: OP, keep: true, by: { id: 'reviewer@example.com' } } }]);
  });

  it.each([
    ['whoever asked for the change', 'U0OPERATOR', 'SelfApproval'],
    ['somebody whom no rule names', 'U0REVIEWER', 'NotAnApprover'],
  ])('is refused to %s', async (_, by, code) => {
    await using at = await stage({ gates: [{ approvers: { emails: ['operator@example.com', 'reviewer2@example.com'] } }] });
    expect(await pressed(at, by)).toContain(sentence(code as 'SelfApproval'));
    expect(at.played.begins).toEqual([]);
  });
});

test('status says that nobody watches it, and how it is rolled back', async () => {
  await using at = await stage();
  await terminated(at);
  for (const line of ['/mesh status', '/mesh status backend']) {
    await at.slack.drive.as('U0REVIEWER').command(CHANNEL, line);
    expect(heard(at)).toMatch(/nobody watches a change/);
    expect(heard(at)).toContain(`abort ${OP}`);
  }
});
