// Buttons whose value is a whole command: pressing one is the same as typing it.

import type { App, BlockAction, ButtonAction } from '@slack/bolt';
import { withoutUnseen } from '../domain/words/mrkdwn.ts';
import { COMMAND_ACTION } from '../messages/command-button.ts';
import type { Admission } from './admission.ts';
import { sayPlain } from './answer.ts';
import { answerSlash } from './commands.ts';
import type { BotDeps } from './deps.ts';
import { usualChannel } from './forms/channel.ts';
import { tell } from './later.ts';
import type { Origin } from './origin.ts';
import { afterwards } from './policy/afterwards.ts';
import { refusal } from './refusals.ts';

/** Whoever presses one is checked as for any command. */
export function hearCommandButtons(app: App, deps: BotDeps, admission: Admission): void {
  app.action<BlockAction<ButtonAction>>(new RegExp(`^${COMMAND_ACTION}:`), async ({ ack, action, body, respond }) => {
    await ack();
    const inHome = body.view?.type === 'home';
    const channelId = body.channel?.id ?? (inHome ? usualChannel(deps) : undefined);
    if (!channelId) return;
    const origin: Origin = {
      teamId: body.team?.id ?? '',
      appId: body.api_app_id,
      userId: body.user.id,
      triggerId: body.trigger_id,
      channelId,
    };
    const show = (answer: Parameters<typeof tell>[2]): Promise<void> =>
      tell(deps, { channelId, userId: body.user.id, ...(inHome ? { direct: true as const } : { respond }) }, answer);
    const [command = '', ...words] = withoutUnseen(action.value ?? '').split(' ');
    const { mesh, policy, encryption } = deps.config().slack.commands;
    const full = afterwards(deps, show, async () => {
      const refused = admission.greet(origin) ?? ([mesh, policy, encryption].includes(command) ? undefined : refusal('ForgedButton'));
      if (!refused) return answerSlash(deps, admission, { origin, command, text: words.join(' ') }, show);
      deps.meter.refused(refused.code);
      deps.refusals.note({ origin, code: refused.code, actor: origin.userId, data: { channel: channelId } });
      return sayPlain(refused.words);
    });
    if (full) await show(full);
  });
}
