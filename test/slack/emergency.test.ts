import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { CHANNEL, type Stage, stage } from './stage.ts';

const WHY = 'checkout fails for everybody, v2 fixes it';
const EMERGENCY = {
  who: { emails: ['operator@example.com'] },
  reviewers: { usergroups: ['S0REVIEWERS'], emails: ['operator@example.com'] },
};
let at: Stage;
beforeEach(async () => {
  at = await stage({ emergency: EMERGENCY });
});
afterEach(async () => {
  await at[Symbol.asyncDispose]();
});

async function type(line: string, who = 'U0OPERATOR'): Promise<string> {
  const words = (await at.slack.drive.as(who).command(CHANNEL, line)).shown?.text ?? '';
  await at.idle();
  return words;
}

/** The id that the database gave, with its operation on record as begun. */
async function begun(): Promise<string> {
  const { opId = '', target } = at.played.begins.at(-1) ?? {};
  if (target) await at.audit.started({ opId, workflowId: 'w', runId: 'run-1', target, at: Date.now() });
  return opId;
}

describe('an emergency', () => {
  test('begins with what the configuration leaves of the gates, on record before it begins', async () => {
    await type(`/mesh canary backend 10% --emergency "${WHY}"`);
    expect(at.played.begins).toMatchObject([{ emergency: { reason: WHY, quorum: 0 }, reason: WHY, settings: { gates: [{ quorum: 1 }] } }]);
    const opId = await begun();
    expect(await at.emergencies.find(opId)).toMatchObject({ by: [{ id: 'operator@example.com' }], reason: WHY, reviews: [] });
    expect(await at.audit.verify()).toMatchObject({ kind: 'intact' });
  });

  test.each([
    [
      'of somebody whom meshops.yaml does not name',
      `/mesh canary backend 10% --emergency "${WHY}"`,
      'U0REVIEWER',
      'does not name you for emergencies',
    ],
    [
      'with a word for a reason',
      '/mesh canary backend 10% --emergency "broken"',
      'U0OPERATOR',
      'needs its reason in quotes, 20 to 300 characters',
    ],
    ['to turn encryption off', `/encryption off --emergency "${WHY}"`, 'U0OPERATOR', 'Nothing was changed.'],
  ])('%s begins nothing', async (_, line, who, words) => {
    expect(await type(line, who)).toContain(words);
    expect(at.played.begins).toEqual([]);
    expect(await at.emergencies.open()).toEqual([]);
  });

  test('begins nothing where the configuration knows none, where Slack does not say who is named, and where nobody could account for it', async () => {
    await using plain = await stage();
    const line = `/mesh canary backend 10% --emergency "${WHY}"`;
    expect((await plain.slack.drive.as('U0OPERATOR').command(CHANNEL, line)).shown?.text).toContain('knows no emergencies');
    await using silent = await stage({ emergency: { ...EMERGENCY, who: { usergroups: ['S0REVIEWERS'] } } });
    await silent.slack.drive.as('U0OPERATOR').command(CHANNEL, '/mesh help');
    silent.slack.faults.rateLimited(5, ['usergroups.users.list']);
    expect((await silent.slack.drive.as('U0OPERATOR').command(CHANNEL, line)).shown?.text).toContain('Slack did not say');
    at.emergencies.declare = async () => {
      throw new Error('the database is away');
    };
    expect(await type(line)).toContain('does not answer');
    expect([...plain.played.begins, ...silent.played.begins, ...at.played.begins]).toEqual([]);
  });
});

describe('its review', () => {
  let opId: string;
  beforeEach(async () => {
    await type(`/mesh canary backend 10% --emergency "${WHY}"`);
    opId = await begun();
  });

  test('is signed by two others, each once, and stays in the record', async () => {
    expect(await at.emergencies.open()).toHaveLength(1);
    expect(await type(`/mesh review ${opId} the alert was real`, 'U0REVIEWER')).toContain('1 of 2. One more has to.');
    expect(await type(`/mesh review ${opId}`, 'U0REVIEWER')).toContain('counted already');
    expect(await at.emergencies.open()).toHaveLength(1);
    expect(await type(`/mesh review ${opId}`, 'U0REVIEWER2')).toContain('2 of 2. That is all.');
    expect(await at.emergencies.open()).toEqual([]);
    expect(await at.audit.verify()).toMatchObject({ kind: 'intact' });
  });

  test('is nobody’s own, under whatever address, nor of somebody who is not named', async () => {
    expect(await type(`/mesh review ${opId}`)).toContain('Nobody reviews their own');
    at.slack.drive.setUser('U0OPERATOR', { email: 'operator+2@example.com' });
    at.ahead = 61_000;
    expect(await type(`/mesh review ${opId}`)).toContain('Nobody reviews their own');
    const other = { id: 'U0OTHER', teamId: 'T0MESHOPS', name: 'other', realName: 'Other', email: 'other@example.com' };
    at.slack.drive.join(other, CHANNEL);
    expect(await type(`/mesh review ${opId}`, 'U0OTHER')).toContain('does not name you as a reviewer');
    expect((await at.emergencies.find(opId))?.reviews).toEqual([]);
  });

  test('stands in the Home of whoever may sign, until they have', async () => {
    const home = async (who: string): Promise<string> => {
      await at.slack.drive.as(who).openHome();
      return at.slack.drive.waitFor(() => JSON.stringify(at.slack.drive.as(who).home()?.view), { what: 'the Home' });
    };
    expect(await home('U0REVIEWER')).toContain('Review an emergency (1)');
    expect(await home('U0OPERATOR')).not.toContain('Review an emergency');
    await type(`/mesh review ${opId}`, 'U0REVIEWER');
    at.ahead = 5_000;
    await at.slack.drive.as('U0REVIEWER').openHome();
    await at.slack.drive.waitFor(() => !JSON.stringify(at.slack.drive.as('U0REVIEWER').home()?.view).includes('Review an emergency'), {
      what: 'the task to go',
    });
    expect(await home('U0REVIEWER2')).toContain('1 of 2 signed');
  });
});
