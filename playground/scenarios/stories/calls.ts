import { parseButton } from '../../../src/domain/lifecycle/button.ts';
import { findElement } from '../../slack/block-kit/elements.ts';
import type { Message } from '../../slack/messages.ts';
import { questionIn } from '../miscalled.ts';
import { CHANNEL, type Operation, PEOPLE, type PersonName } from '../operation.ts';
import { must, type Scenario } from '../scenario.ts';
import type { Scene } from '../scene.ts';

/** Stories of who is called when an operation asks people something. */

/** The newest question of an operation, once it is another one than those that were there. */
async function nextQuestion(scene: Scene, operation: Operation, known: readonly Message[]): Promise<Message> {
  const isNew = (message: Message): boolean => questionIn(message) !== undefined && !known.some(({ ts }) => ts === message.ts);
  const find = (): Message | undefined => scene.rig.slack.drive.thread(CHANNEL, operation.ts).findLast(isNew);
  return scene.rig.slack.drive.waitFor(find, { what: 'a question in the thread', timeoutMs: 30_000 });
}

/** Which calls about this operation reached a person, in their order. */
function callsTo({ rig }: Scene, user: string, { opId }: Operation): readonly string[] {
  const questions = rig.slack.drive.notifications(user).map(({ message }) => questionIn(message));
  return questions.flatMap((one) => (one?.opId === opId ? [one.call] : []));
}

async function answerIn(scene: Scene, { ts }: Message, person: PersonName, action: string): Promise<void> {
  const click = await scene.rig.slack.drive.as(PEOPLE[person]).click(CHANNEL, ts, action);
  must(click.ok, `the answer was not taken: ${click.error}`);
}

function buttonsOf(message: Message): number {
  return (message.blocks ?? []).filter((block) => block['type'] === 'actions').length;
}

async function answered(scene: Scene, operation: Operation, ts: string, words: string): Promise<void> {
  const find = (): Message | undefined =>
    scene.rig.slack.drive.thread(CHANNEL, operation.ts).find((one) => one.ts === ts && one.text.includes(words));
  const message = await scene.rig.slack.drive.waitFor(find, { what: `the question to say "${words}"`, timeoutMs: 30_000 });
  must(buttonsOf(message) === 0, 'a question that is answered has buttons still');
}

const callsPeople: Scenario = {
  name: 'gate-calls-people',
  story: 'each gate is a post that calls its approvers once, and nobody else; it has the buttons, and says who has answered',
  tuning: { secondGate: '5%' },
  play: async (scene) => {
    const operation = await scene.begin('/mesh canary backend 10% --steps 5,10');
    const first = await nextQuestion(scene, operation, []);
    must(findElement(first.blocks ?? [], 'meshops:approve') !== undefined && buttonsOf(first) === 1, 'the question has no button');
    for (const person of ['reviewer', 'reviewer2'] as const)
      must(
        callsTo(scene, PEOPLE[person], operation).join() === 'question',
        `${person} was called: ${callsTo(scene, PEOPLE[person], operation).join()}`,
      );
    must(callsTo(scene, PEOPLE.operator, operation).length === 0, 'the requester is called to approve');
    const button = parseButton(String(findElement(first.blocks ?? [], 'meshops:approve')?.element['value']));
    must(button?.opId === operation.opId, 'the button is of another operation');
    await answerIn(scene, first, 'reviewer', 'meshops:approve');
    await answered(scene, operation, first.ts, 'approved by Reviewer');
    const second = await nextQuestion(scene, operation, [first]);
    await answerIn(scene, second, 'reviewer2', 'meshops:approve');
    await answered(scene, operation, second.ts, 'approved by Second reviewer');
    const outcome = await operation.result();
    must(outcome.kind === 'completed', `the outcome is ${outcome.kind}: ${outcome.words}`);
    must(
      callsTo(scene, PEOPLE.reviewer, operation).length === 2,
      `called ${callsTo(scene, PEOPLE.reviewer, operation).length} times for two questions`,
    );
    return { operation };
  },
};

const LEAD = { id: 'U0LEAD', teamId: 'T0MESHOPS', name: 'lead', realName: 'Lead', email: 'lead@example.com' };

const reminds: Scenario = {
  name: 'gate-reminds',
  story: 'nobody answers: approvers are reminded at half of the time, then others are called, once each; then it is declined',
  tuning: {
    settings: {
      gates: [{ above: '0%', approvers: { usergroups: ['S0REVIEWERS'] }, quorum: 1, expiry: '16s', remind: '50%', escalate: 'S0LEADS' }],
    },
  },
  play: async (scene) => {
    scene.rig.slack.drive.join(LEAD, CHANNEL);
    scene.rig.slack.drive.setUsergroup('S0LEADS', { users: [LEAD.id] });
    const operation = await scene.begin('/mesh canary backend 10%');
    const question = await nextQuestion(scene, operation, []);
    const reminder = await nextQuestion(scene, operation, [question]);
    must(buttonsOf(reminder) === 1, 'the reminder has no buttons');
    const escalation = await nextQuestion(scene, operation, [question, reminder]);
    const outcome = await operation.result();
    must(outcome.kind === 'expired', `the outcome is ${outcome.kind}: ${outcome.words}`);
    await answered(scene, operation, escalation.ts, 'no answer by');
    const left = scene.rig.slack.drive.thread(CHANNEL, operation.ts).filter((one) => questionIn(one) && buttonsOf(one) > 0);
    must(left.length === 0, `${left.length} questions have buttons after the end`);
    for (const person of ['reviewer', 'reviewer2'] as const)
      must(
        callsTo(scene, PEOPLE[person], operation).join() === 'question,reminder',
        `${person}: ${callsTo(scene, PEOPLE[person], operation).join()}`,
      );
    must(callsTo(scene, LEAD.id, operation).join() === 'escalation', `the leads: ${callsTo(scene, LEAD.id, operation).join()}`);
    must(callsTo(scene, PEOPLE.operator, operation).length === 0, 'the requester is called');
    return { operation };
  },
};

/** What a bot knows of a group counts for so long where somebody decides. */
const GROUP_KEPT_MS = 10_000;

const removed: Scenario = {
  name: 'reviewer-removed',
  story: 'a reviewer taken out of the group approves nothing any more; somebody put in meanwhile does',
  play: async (scene) => {
    const { drive } = scene.rig.slack;
    drive.join(LEAD, CHANNEL);
    try {
      const operation = await scene.begin('/mesh canary backend 10%');
      await operation.phase('waiting');
      drive.setUsergroup('S0REVIEWERS', { users: [PEOPLE.reviewer2, LEAD.id] });
      await scene.wait(GROUP_KEPT_MS + 500);
      const known = scene.heard('reviewer').length;
      const late = await operation.press('reviewer', 'meshops:approve');
      must(late.delivered, 'the click was not delivered');
      await scene.until(() => scene.heard('reviewer').length > known, 'the reviewer to be told why it does not count');
      must(scene.heard('reviewer').at(-1)?.includes('approver') === true, `the reviewer was told: ${scene.heard('reviewer').at(-1)}`);
      const { phase, gate } = await operation.view();
      must(phase === 'waiting' && gate?.approvals.length === 0, 'the approval of somebody who was taken out counts');
      const click = await drive.as(LEAD.id).click(CHANNEL, operation.ts, 'meshops:approve');
      must(click.ok, `the approval of somebody who was put in was not taken: ${click.error}`);
      const outcome = await operation.result();
      must(outcome.kind === 'completed', `the outcome is ${outcome.kind}: ${outcome.words}`);
      return { operation };
    } finally {
      drive.setUsergroup('S0REVIEWERS', { users: [PEOPLE.reviewer, PEOPLE.reviewer2] });
    }
  },
};

const twoGroups: Scenario = {
  name: 'two-groups',
  story: 'two groups must agree to one stage: each is called for itself, and somebody who is in both counts for one',
  tuning: {
    settings: {
      gates: ['S0REVIEWERS', 'S0LEADS'].map((group) => ({
        above: '0%',
        approvers: { usergroups: [group] },
        quorum: 1,
        expiry: '5m',
        required: true,
      })),
    },
  },
  play: async (scene) => {
    const { drive } = scene.rig.slack;
    drive.join(LEAD, CHANNEL);
    drive.setUsergroup('S0LEADS', { users: [PEOPLE.reviewer, LEAD.id] });
    const operation = await scene.begin('/mesh canary backend 10%');
    const first = await nextQuestion(scene, operation, []);
    must(callsTo(scene, LEAD.id, operation).length === 0, 'the second group is called before the first has agreed');
    await answerIn(scene, first, 'reviewer', 'meshops:approve');
    await answered(scene, operation, first.ts, 'approved by Reviewer');
    const second = await nextQuestion(scene, operation, [first]);
    const known = scene.heard('reviewer').length;
    await drive.as(PEOPLE.reviewer).click(CHANNEL, second.ts, 'meshops:approve');
    await scene.until(() => scene.heard('reviewer').length > known, 'the reviewer to be told that they count for one group');
    must(scene.heard('reviewer').at(-1)?.includes('another group') === true, `the reviewer was told: ${scene.heard('reviewer').at(-1)}`);
    must((await operation.view()).phase === 'waiting', 'one person has agreed for two groups');
    const click = await drive.as(LEAD.id).click(CHANNEL, second.ts, 'meshops:approve');
    must(click.ok, `the second approval was not taken: ${click.error}`);
    await answered(scene, operation, second.ts, 'approved by Lead');
    const outcome = await operation.result();
    must(outcome.kind === 'completed', `the outcome is ${outcome.kind}: ${outcome.words}`);
    return { operation };
  },
};

export const callStories: readonly Scenario[] = [callsPeople, reminds, removed, twoGroups];
