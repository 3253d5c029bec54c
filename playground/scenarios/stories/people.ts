import { CHANNEL, PEOPLE } from '../operation.ts';
import { must, type Scenario } from '../scenario.ts';
import { CANARY } from '../scene.ts';
import { approvedCanary } from './canary.ts';

/** Stories of what people decide, and of what they do not. */
export const peopleStories: readonly Scenario[] = [
  {
    name: 'canary-reject',
    story: 'a reviewer rejects with a reason; nothing is changed',
    play: async (scene) => {
      const operation = await scene.begin('/mesh canary backend 10%');
      const own = await operation.press('operator', 'meshops:approve');
      must(own.delivered, 'the click of the requester was not delivered');
      await operation.press('reviewer', 'meshops:reject');
      const reviewer = scene.rig.slack.drive.as(PEOPLE.reviewer);
      const view = await scene.rig.slack.drive.waitFor(() => reviewer.views()[0], { what: 'the modal that asks for a reason' });
      const sent = await reviewer.submitModal(view.id, reasonIn(view.view, 'not before the weekend'));
      must(sent.ok, `the reason was not taken: ${sent.error} ${JSON.stringify(sent.errors ?? {})}`);
      const outcome = await operation.result();
      must(outcome.kind === 'rejected', `the outcome is ${outcome.kind}: ${outcome.words}`);
      must(outcome.words.includes('not before the weekend'), 'the reason is not told');
      must(
        scene.rig.slack.drive
          .as(PEOPLE.operator)
          .ephemerals()
          .some((message) => /own request|yourself|your own/i.test(message.text)),
        'the requester was not told why their approval does not count',
      );
      must((await scene.weight(CANARY)) === 0, 'something was changed');
      return { operation };
    },
  },
  {
    name: 'canary-abort',
    story: 'the requester aborts in the middle of a watch; everything is put back',
    play: async (scene) => {
      const operation = await approvedCanary(scene, '/mesh canary backend 10% --soak 60s');
      await scene.wait(500 + scene.random() * 1_000);
      await operation.abort('operator');
      const outcome = await operation.result();
      must(outcome.kind === 'aborted' && outcome.restoredExactly === true, `the outcome is ${outcome.kind}: ${outcome.words}`);
      must((await scene.weight(CANARY)) === 0, 'the canary still has weight');
      return { operation };
    },
  },
  {
    name: 'canary-expired',
    story: 'nobody decides in time; nothing is changed and a late click is told so',
    tuning: { gateExpiry: '3s' },
    play: async (scene) => {
      const operation = await scene.begin('/mesh canary backend 10%');
      const button = await operation.button('meshops:approve');
      must(button?.gateId !== undefined, 'the button names no gate');
      const outcome = await operation.result();
      must(outcome.kind === 'expired', `the outcome is ${outcome.kind}: ${outcome.words}`);
      await operation.seen((message) => !JSON.stringify(message.blocks).includes('meshops:approve'), 'the buttons to go');
      const late = await scene.rig.slack.drive.as(PEOPLE.reviewer).click(CHANNEL, operation.ts, 'meshops:approve');
      must(!late.ok, 'a click on a button that is gone was taken');
      must((await scene.weight(CANARY)) === 0, 'something was changed');
      return { operation };
    },
  },
  {
    name: 'canary-replayed-command',
    story: 'the identical signed request arrives three times: one operation, one message',
    play: async (scene) => {
      const operation = await scene.begin('/mesh canary backend 10%');
      const request = scene.rig.slack.drive.lastRequest();
      await scene.rig.slack.drive.replay(request, 2);
      await operation.abort('operator');
      const outcome = await operation.result();
      // A replay that comes after the operation is over must not start a second one either.
      await scene.rig.slack.drive.replay(request, 1);
      await scene.wait(1_500);
      must(scene.newRoots().length === 1, `there are ${scene.newRoots().length} root messages`);
      must(outcome.kind === 'aborted', `the outcome is ${outcome.kind}: ${outcome.words}`);
      return { operation };
    },
  },
];

/** The values of a modal whose only text input gets the reason. */
function reasonIn(view: Readonly<Record<string, unknown>>, text: string): Record<string, string> {
  const blocks = view['blocks'] as readonly { type: string; block_id?: string; element?: { action_id?: string } }[];
  const input = blocks.find((block) => block.type === 'input');
  must(input?.block_id !== undefined && input.element?.action_id !== undefined, 'the modal has no input');
  return { [`${input.block_id}/${input.element.action_id}`]: text };
}
