import { expect, test } from 'vitest';
import { attack } from '../../playground/hostile/attack.ts';
import { createHostile, type Known } from '../../playground/hostile/payloads.ts';
import { unescaped } from '../../playground/hostile/texts.ts';
import { encodeButton } from '../../src/domain/lifecycle/button.ts';
import { refuseDecision } from '../../src/domain/lifecycle/gate.ts';
import { gate } from '../messages/views.ts';
import { CHANNEL, postRoot, stage, WORKFLOW } from './stage.ts';

const COUNT = 3_000;

test('3,000 hostile requests at the real door: no crash, no effect, nothing said as it came', { timeout: 240_000 }, async () => {
  await using at = await stage({ slack: { mode: 'http', teamIds: ['T0MESHOPS'], requestsPerMinute: 100_000 } });
  for (let one = 0; one < 6; one += 1)
    at.slack.drive.join(
      { id: `U0MEMBER${one}`, teamId: 'T0MESHOPS', name: `m${one}`, realName: `Member ${one}`, email: `member${one}@example.com` },
      CHANNEL,
    );
  await postRoot(at);
  // One that is taken, to be sent again and again.
  await at.slack.drive.as('U0OPERATOR').command(CHANNEL, '/mesh canary backend 10%');
  const { body, headers } = at.slack.drive.lastRequest();
  await at.idle();
  expect(at.played.begins).toHaveLength(1);
  const counted: string[] = [];
  const open = gate({ gateId: 'g1', planHash: 'ab'.repeat(32), calls: { usergroups: ['S0REVIEWERS'], emails: [] } });
  at.played.decide = async (decision) => {
    const code = refuseDecision(open, decision, { opId: 'canary-k3f2', runId: 'run-1', now: open.openedAt, own: false });
    if (!code) counted.push(decision.actor.id);
    return code ? { kind: 'refused', code, words: code } : { kind: 'accepted', remaining: 0 };
  };
  const ids = { workflowId: WORKFLOW, runId: 'run-1', opId: 'canary-k3f2', gateId: 'g1', planHash: 'ab'.repeat(32) };
  const known: Known = {
    signingSecret: at.slack.signingSecret,
    teamId: 'T0MESHOPS',
    appId: 'A0MESHOPS',
    channelId: CHANNEL,
    members: Array.from({ length: 6 }, (_, one) => `U0MEMBER${one}`),
    outsiders: ['U0GUEST', 'U0OUTSIDE', 'U0GONE', 'U0MESHOPS', 'U0NOBODY', '', '__proto__'],
    values: [encodeButton(ids), encodeButton({ ...ids, planHash: 'cd'.repeat(32) }), encodeButton({ ...ids, gateId: 'g2' })],
    taken: [{ body, headers }],
    now: Date.now,
  };
  const said = at.slack.drive.messages(CHANNEL).length;
  const report = await attack(new URL(at.url), createHostile(known, 1), { count: COUNT, atOnce: 24 });
  await at.idle();
  expect(report.offences).toEqual([]);
  expect(report.sent).toBe(COUNT);
  expect(at.played.begins).toHaveLength(1);
  expect([counted, at.played.aborts, at.played.releases]).toEqual([[], [], []]);
  expect(at.slack.drive.messages(CHANNEL)).toHaveLength(said);
  const shown = known.members.flatMap((one) => at.slack.drive.as(one).ephemerals());
  expect(shown.flatMap((message) => unescaped(JSON.stringify(message)) ?? [])).toEqual([]);
  expect(
    at.slack.log
      .entries()
      .filter(({ refusal, direction }) => direction === 'in' && /invalid_(?!trigger_id)|too_long|too_many/.test(refusal ?? '')),
  ).toEqual([]);
  // It still works, as soon as Slack may be asked again who somebody is.
  at.ahead = 61_000;
  expect((await at.slack.drive.as('U0REVIEWER').command(CHANNEL, '/mesh help')).shown?.text).toContain('meshops changes the mesh');
});
