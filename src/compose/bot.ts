import { createRequests } from '../audit/requests.ts';
import { createSlackMessages } from '../clients/slack.ts';
import { patient } from '../clients/slack-patient.ts';
import type { ProcessName } from '../doctor/checks.ts';
import { examine } from '../doctor/examine.ts';
import type { ReadyCheck } from '../http.ts';
import { renderRoot } from '../messages/message.ts';
import { retireButtons } from '../messages/retire.ts';
import { type Bot, createBot } from '../slack/bot.ts';
import { sharedDoctor } from '../slack/doctor.ts';
import { createApart } from '../slack/policy/apart.ts';
import type { Entrance } from '../slack/receiver.ts';
import { createRefusalBook } from '../slack/refusal-book.ts';
import { createRoom } from '../slack/room.ts';
import { createInFlight } from '../temporal/in-flight.ts';
import { createOperations, type Operations } from '../temporal/operations.ts';
import { choiceParts } from './choices.ts';
import { lackingIn, liveWeights, missingIn } from './clusters.ts';
import { encryptionParts } from './encryption.ts';
import { type Foundation, NotSet, required } from './foundation.ts';
import { policyParts } from './policy.ts';

export interface RunningBot {
  readonly bot: Bot;
  readonly operations: Operations;
  readonly ready: readonly ReadyCheck[];
  /** Waits for what goes on after an answer; returns how many pieces were given up. */
  drain(timeoutMs: number): Promise<number>;
}

/** Puts the bot together. It takes nothing before `bot.start()` (Socket Mode) or before its listener is served (HTTP). */
export async function composeBot(on: Foundation, process: ProcessName = 'bot'): Promise<RunningBot> {
  const { config, telemetry, audit, web, people, client, clusters, now } = on;
  const log = telemetry.log;
  const operations = createOperations({
    client,
    now,
    lookup: async (opId) => audit.operation(opId),
    onError: (error) => log.error({ err: error }, 'background work of the bot broke'),
  });
  const inFlight = createInFlight();
  const requests = createRequests(on.database);
  const slackApiUrl = on.environment.slackApiUrl ?? config.current().slack.apiUrl;
  const token = required(on.environment.slackBotToken, 'SLACK_BOT_TOKEN', 'the bot cannot speak in Slack');
  const messages = patient(createSlackMessages({ token, ...(slackApiUrl ? { apiUrl: slackApiUrl } : {}) }));
  const apart = createApart();
  // The thread is there before the first file comes: to start it takes longer than most files do.
  apart.run('lint', { text: '' }).catch((error: unknown) => log.warn({ err: error }, 'the thread for files did not start'));
  const refusals = createRefusalBook({ audit, inFlight, log, now });
  const me = await whoAmI(on);
  const bot = createBot(
    {
      ...(me.appId !== undefined && { appId: me.appId }),
      config: () => config.current(),
      operations,
      audit,
      requests,
      freezes: on.freezes,
      emergencies: on.emergencies,
      handovers: on.handovers,
      doctor: sharedDoctor(process, (signal) => examine(on.environment, config.current(), process, signal)),
      people,
      web,
      lacking: (cluster, rights, as, signal) => lackingIn(clusters, cluster, rights, as, signal),
      missing: (scope, signal) => missingIn(clusters, scope, signal),
      liveWeights: (target, signal) => liveWeights(clusters, target, signal),
      refresh: async (view) => {
        if (view.message) await messages.update(view.message.channelId, view.message.ts, renderRoot(view));
      },
      retire: (message) =>
        retireButtons(messages, message).catch((error: unknown) => {
          log.warn({ err: error }, 'buttons that hold no more could not be taken off a message');
        }),
      choices: choiceParts(clusters, () => config.current().policy.sources.label, now),
      policy: policyParts(on, { botToken: token, messages, slackApiUrl, apart }),
      encryption: encryptionParts(on, messages),
      meter: telemetry,
      refusals,
      room: createRoom(),
      inFlight,
      now,
      log,
    },
    entranceOf(on, slackApiUrl),
    { botToken: token, botId: me.botId, botUserId: me.botUserId, ...(slackApiUrl ? { slackApiUrl } : {}) },
  );
  return {
    bot,
    operations,
    ready: [
      { name: 'temporal', isReady: () => operations.reachable() },
      { name: 'slack', isReady: () => bot.isConnected() },
    ],
    drain: async (timeoutMs) => {
      refusals.flush();
      const left = await inFlight.drain(timeoutMs);
      const all = left + (await operations.drain(timeoutMs));
      await apart.close();
      return all;
    },
  };
}

function entranceOf(on: Foundation, slackApiUrl: string | undefined): Entrance {
  const { environment } = on;
  if (on.config.current().slack.mode === 'http') {
    return {
      mode: 'http',
      signingSecret: required(environment.slackSigningSecret, 'SLACK_SIGNING_SECRET', 'requests cannot be told from forged ones'),
    };
  }
  const appToken = required(environment.slackAppToken, 'SLACK_APP_TOKEN', 'Socket Mode cannot connect');
  return { mode: 'socket', appToken, ...(slackApiUrl ? { slackApiUrl } : {}) };
}

/** Whose token it is; that it belongs to a workspace that is served. */
async function whoAmI(on: Foundation): Promise<{ readonly botId: string; readonly botUserId: string; readonly appId?: string }> {
  const me = await on.web.auth.test();
  const { teamIds } = on.config.current().slack;
  if (!me.team_id || !teamIds.includes(me.team_id)) {
    throw new NotSet(
      `SLACK_BOT_TOKEN belongs to workspace ${me.team_id ?? 'unknown'}, but slack.teamIds names ${teamIds.join(', ')}. Nothing was started.`,
    );
  }
  const { bot_id: botId = '', user_id: botUserId = '' } = me;
  // Without the answer the app is checked where the configuration names it.
  const appId = await on.web.bots.info({ bot: botId }).then(
    ({ bot }) => bot?.app_id,
    (error: unknown) => {
      on.telemetry.log.warn({ err: error }, 'Slack does not say which app this is: slack.appId is what is checked');
      return undefined;
    },
  );
  return { botId, botUserId, ...(appId !== undefined && { appId }) };
}
