// Who uses meshops for the first time is told once what it does, and where help is.
import { commandRow } from '../messages/command-button.ts';
import { type Answer, section } from './answer.ts';
import type { BotDeps } from './deps.ts';
import type { Origin } from './origin.ts';

/** Slack's limit for a message. */
const MOST_BLOCKS = 50;
const WORDS = 'New here? Nothing changes without a plan you can read, and nothing stays that harms traffic.';

type Hint = NonNullable<Answer['blocks']>;

/** The hint for somebody who was never here before; nothing where the database does not say. Never rejects. */
export async function firstUse({ requests, config, log, now }: BotDeps, { teamId, userId }: Origin): Promise<Hint> {
  try {
    if (!(await requests.isFirst(`${teamId}/${userId}`, now()))) return [];
  } catch (error) {
    log.debug({ err: error }, 'whether somebody is new here could not be learned');
    return [];
  }
  const row = commandRow([{ label: 'Show help', command: `${config().slack.commands.mesh} help` }]);
  return [section(WORDS), ...(row ? [{ ...row, block_id: 'meshops:first-use' }] : [])];
}

/** The answer with the hint below it: in its blocks only, since notifications tell what was asked for. */
export async function withHint(answer: Answer, hint: Promise<Hint> | undefined): Promise<Answer> {
  const more = hint && !answer.isPosted ? await hint : [];
  const blocks = [...(answer.blocks ?? [section(answer.text)]), ...more];
  return more.length === 0 || blocks.length > MOST_BLOCKS ? answer : { ...answer, blocks };
}
