import { findElement } from '../../slack/block-kit/elements.ts';
import type { Json } from '../../slack/messages.ts';
import { CHANNEL, PEOPLE, type PersonName } from '../operation.ts';
import { must, type Scenario } from '../scenario.ts';
import type { Scene } from '../scene.ts';

/** Stories of changes that begin without approval, and of who looks at them afterwards. */

const WHY = 'checkout fails for everybody, the new version fixes it';

/** What a person is told after a command, once it matches. */
async function told(scene: Scene, line: string, person: PersonName, wanted: RegExp): Promise<void> {
  const before = scene.heard(person).length;
  const shown = await scene.type(line, person);
  const heard = (): string | undefined => [shown.shown?.text ?? '', ...scene.heard(person).slice(before)].find((text) => wanted.test(text));
  await scene.until(() => heard() !== undefined, `${person} to be told ${wanted}, not: ${shown.shown?.text}`);
}

function homeOf({ rig }: Scene, person: PersonName): readonly Json[] {
  return (rig.slack.drive.as(PEOPLE[person]).home()?.view['blocks'] ?? []) as readonly Json[];
}

async function hasTask(scene: Scene, person: PersonName, has: boolean): Promise<void> {
  await scene.rig.slack.drive.as(PEOPLE[person]).openHome();
  const isThere = (): boolean => JSON.stringify(homeOf(scene, person)).includes('Review an emergency');
  const isShown = (): boolean => homeOf(scene, person).length > 0 && isThere() === has;
  await scene.until(isShown, `the Home of ${person} ${has ? 'to have' : 'not to have'} the task`, 15_000);
}

export const emergencyStories: readonly Scenario[] = [
  {
    name: 'emergency',
    story:
      'a change begins without approval: told to the channel and to who is on call, watched all the same, and reviewed by two others afterwards',
    tuning: {
      settings: {
        emergency: {
          who: { emails: ['operator@example.com'] },
          reviewers: { usergroups: ['S0REVIEWERS'], emails: ['operator@example.com'] },
        },
      },
    },
    play: async (scene) => {
      const { drive } = scene.rig.slack;
      const line = `/mesh canary backend 10% --soak 4s --emergency "${WHY}"`;
      await told(scene, line, 'reviewer', /does not name you for emergencies/);
      must(scene.newRoots().length === 0, 'somebody whom nobody names has begun an emergency');
      const operation = await scene.begin(line);
      const loud = await drive.waitFor(
        () => drive.thread(CHANNEL, operation.ts).find(({ text }) => text.includes('begins without approval')),
        { what: 'the word to everybody' },
      );
      must(loud.text.includes('<!subteam^S0REVIEWERS>') && JSON.stringify(loud.blocks).includes(WHY), `it says: ${loud.text}`);
      must(
        drive.notifications(PEOPLE.reviewer).some(({ message }) => message.ts === loud.ts),
        'who is on call was not called',
      );
      await operation.phase('watching');
      must(findElement(operation.root().blocks ?? [], 'meshops:approve') === undefined, 'it waits for an approval');
      must(JSON.stringify(operation.root().blocks).includes('begun without approval'), 'its message does not say that it is an emergency');
      const outcome = await operation.result();
      must(outcome.kind === 'completed', `the outcome is ${outcome.kind}: ${outcome.words}`);
      await told(scene, `/mesh review ${operation.opId}`, 'operator', /Nobody reviews their own/);
      await hasTask(scene, 'operator', false);
      await hasTask(scene, 'reviewer', true);
      const sign = findElement(homeOf(scene, 'reviewer'), 'meshops-place:0');
      must(JSON.stringify(sign?.element ?? {}).includes(`review ${operation.opId}`), 'the task has no button');
      await told(scene, `/mesh review ${operation.opId} the alert was real`, 'reviewer', /1 of 2/);
      await told(scene, `/mesh review ${operation.opId}`, 'reviewer', /counted already/);
      await hasTask(scene, 'reviewer2', true);
      await told(scene, `/mesh review ${operation.opId}`, 'reviewer2', /2 of 2/);
      await hasTask(scene, 'reviewer2', false);
      return { operation };
    },
  },
];
