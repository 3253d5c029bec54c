import type { ActionsBlock, KnownBlock } from '@slack/types';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { createWebClient } from '../../src/clients/slack-web.ts';
import type { OperationView } from '../../src/domain/lifecycle/operation.ts';
import { EVERYWHERE, workflowIdOf } from '../../src/domain/target.ts';
import { recordOf, VERB_NAMES } from '../../src/domain/verb.ts';
import { renderRoot } from '../../src/messages/message.ts';
import { everyView } from '../messages/views.ts';
import { CHANNEL, type Stage, stage, WORKFLOW } from './stage.ts';

let at: Stage;
beforeEach(async () => {
  at = await stage();
});
afterEach(async () => {
  await at[Symbol.asyncDispose]();
});

/** What a click may be refused with: the world is another one than was shown. That nobody knows the button is none of it. */
const UNKNOWN = ['ForgedButton', 'Broken'];

const MORE: readonly { readonly name: string; readonly change: Partial<OperationView> }[] = [
  { name: 'lost', change: { phase: 'holding', lost: { how: 'terminated' } } },
  { name: 'completed halfway', change: { phase: 'over', outcome: { kind: 'completed', code: 'Completed', words: 'Done.' } } },
  {
    name: 'failing on',
    change: {
      phase: 'over',
      outcome: { kind: 'rolled-back', code: 'Harmful', words: 'Harm.', stillFailing: { words: 'Still.', hasShare: true } },
    },
  },
];

test.each(VERB_NAMES)('every button of every message of %s has an answer', async (verb) => {
  const web = createWebClient({ token: at.slack.botToken, slackApiUrl: at.slack.apiUrl });
  const [base] = everyView();
  const all = [...everyView(), ...MORE.map(({ name, change }) => ({ name, view: { ...(base?.view as OperationView), ...change } }))];
  const pressed = new Set<string>();
  for (const { name, view } of all) {
    const isWide = recordOf(verb).scope === 'cluster';
    const workflowId = isWide ? workflowIdOf({ cluster: 'demo', ...EVERYWHERE }) : WORKFLOW;
    const target = isWide ? { cluster: 'demo', ...EVERYWHERE } : view.target;
    const shown = { ...view, verb, opId: `${verb}-k3f2`, workflowId, runId: 'run-1', target };
    const { text, blocks } = renderRoot(shown);
    for (const action of actionsIn(blocks)) {
      if (pressed.has(`${view.phase}/${action}`)) continue;
      pressed.add(`${view.phase}/${action}`);
      const { ts = '' } = await web.chat.postMessage({ channel: CHANNEL, text, blocks });
      const outcome = await at.slack.drive.as('U0REVIEWER', { staleSession: true }).click(CHANNEL, ts, action);
      await at.idle();
      expect(outcome.ok, `${name}: ${action}`).toBe(true);
      expect(
        at.refused.filter((code) => UNKNOWN.includes(code)),
        `${name}: ${action}`,
      ).toEqual([]);
    }
  }
  expect(pressed.size).toBeGreaterThan(10);
});

function actionsIn(blocks: readonly KnownBlock[]): readonly string[] {
  const rows = blocks.filter((block): block is ActionsBlock => block.type === 'actions');
  return rows.flatMap(({ elements }) => elements.flatMap((element) => ('action_id' in element ? (element.action_id ?? []) : [])));
}
