// The Bolt app: hears commands, clicks and modals, and answers each within Slack's three seconds.
import type { RequestListener } from 'node:http';
import { App, type BlockAction, type ButtonAction, type Logger, LogLevel, type SlashCommand, type ViewSubmitAction } from '@slack/bolt';
import { ACTION, type ActionId } from '../domain/lifecycle/button.ts';
import { REASON_FORM, readReason } from '../messages/forms/reason.ts';
import { wayOut } from '../net/proxy.ts';
import { type Admission, createAdmission } from './admission.ts';
import { type Answer, ephemeral, say, sayPlain } from './answer.ts';
import { inBackground } from './background.ts';
import { answerClick, type Click } from './clicks.ts';
import { hearCommandButtons } from './command-buttons.ts';
import { answerSlash } from './commands.ts';
import type { BotDeps } from './deps.ts';
import { hearForms } from './forms/hear.ts';
import { openReason } from './forms/reason.ts';
import { channelOf, createHome, hearHome } from './home.ts';
import { tell } from './later.ts';
import { type Origin } from './origin.ts';
import { hearMentions, hearProposals } from './policy/hear.ts';
import { createDoor, type Entrance } from './receiver.ts';
import { refusal } from './refusals.ts';
import { typed } from './typed.ts';

export interface Bot {
  /** HTTP mode: what the server hands Slack's requests to. */
  readonly listener?: RequestListener;
  /** Socket Mode: connects and begins to take requests. */
  start(): Promise<void>;
  /** False while Slack cannot reach us. */
  isConnected(): boolean;
  /** Socket Mode: takes no more requests. Work that goes on after an answer is in `deps.inFlight`: drain that next. */
  stop(): Promise<void>;
}

export interface BotIdentity {
  readonly botToken: string;
  readonly botId: string;
  readonly botUserId: string;
  readonly slackApiUrl?: string;
}

/** Slack gives up after 3,000 ms, the way here and back included. */
const ANSWER_MS = 2_600;

export function createBot(deps: BotDeps, entrance: Entrance, identity: BotIdentity): Bot {
  const admission = createAdmission(deps);
  const logger = boltLogger(deps);
  const door = createDoor(entrance, { logger, now: deps.now, onForged: (code) => deps.meter.refused(code) });
  const { botToken, botId, botUserId, slackApiUrl } = identity;
  const app = new App({
    receiver: door.receiver,
    // The token was checked at the start; Bolt would ask again for every request.
    authorize: () => Promise.resolve({ botToken, botId, botUserId }),
    clientOptions: {
      fetch: wayOut().fetch,
      retryConfig: { retries: 0 },
      rejectRateLimitedCalls: true,
      ...(slackApiUrl ? { slackApiUrl } : {}),
    },
    convoStore: false,
    logger,
  });
  hearCommands(app, deps, admission);
  hearClicks(app, deps, admission);
  hearReasons(app, deps, admission);
  hearForms(app, deps, admission);
  const home = createHome(deps);
  hearHome(app, home);
  hearMentions(app, deps, admission, botUserId);
  hearProposals(app, deps, admission);
  hearCommandButtons(app, deps, admission);
  app.error(async (error) => deps.log.error({ err: error }, 'a request from Slack broke'));
  return {
    ...(door.listener ? { listener: door.listener } : {}),
    start: () => door.open(),
    isConnected: () => door.isOpen(),
    stop: async () => {
      home.stop();
      await door.close();
    },
  };
}

function hearCommands(app: App, deps: BotDeps, admission: Admission): void {
  // Every name that Slack sends: which ones there are is configuration, and may change while we run.
  app.command(/^\/.+/, async ({ command, ack, respond }) => {
    const startedAt = deps.now();
    const later = (answer: Answer): Promise<void> =>
      tell(deps, { channelId: command.channel_id, userId: command.user_id, respond }, answer);
    const work = guarded(deps, async () => {
      // Slack gives the names in a command; nothing is looked up before this person is known.
      const text = await typed(command.text, async () => undefined);
      return answerSlash(deps, admission, { origin: originOfCommand(command), command: command.command, text }, later);
    });
    const answer = await inTime(deps, work, later);
    await (answer.isPosted ? ack() : ack(ephemeral(answer)));
    deps.meter.acked('command', deps.now() - startedAt);
  });
}

function hearClicks(app: App, deps: BotDeps, admission: Admission): void {
  app.action<BlockAction<ButtonAction>>(/^meshops:/, async ({ ack, action, body, respond }) => {
    const startedAt = deps.now();
    await ack();
    deps.meter.acked('click', deps.now() - startedAt);
    const id = Object.values(ACTION).find((one): one is ActionId => one === action.action_id);
    const inHome = body.view?.type === 'home';
    const channelId = body.channel?.id ?? (inHome ? await channelOf(deps, action.value) : undefined);
    if (!id || !channelId) return;
    const origin = { ...originOf(body), channelId };
    const to = inHome ? { direct: true as const } : { respond };
    const show = (answer: Answer): Promise<void> => tell(deps, { channelId, userId: body.user.id, ...to }, answer);
    const value = action.value ?? '';
    if (id === ACTION.reject || id === ACTION.abort) {
      const asked = await openReason(deps, admission, { origin, action: id, value });
      if (asked.kind === 'refused' && asked.answer) await show(asked.answer);
      if (asked.kind !== 'unasked') return;
    }
    const message = body.message && { channelId, ts: body.message.ts };
    await handleClick(deps, admission, { origin, action: id, value, ...(message && { message }) }, show);
  });
}

function hearReasons(app: App, deps: BotDeps, admission: Admission): void {
  app.view<ViewSubmitAction>(REASON_FORM, async ({ ack, body, view }) => {
    const startedAt = deps.now();
    await ack();
    deps.meter.acked('click', deps.now() - startedAt);
    const given = readReason(view.private_metadata, view.state.values);
    if (!given) return;
    const { channelId, value, reason, stops } = given;
    const origin = { ...originOf(body), channelId, triggerId: triggerOf(body) };
    const action = stops ? ACTION.abort : ACTION.reject;
    await handleClick(deps, admission, { origin, action, value, ...(reason !== undefined && { reason }) }, (answer) =>
      tell(deps, { channelId, userId: body.user.id }, answer),
    );
  });
}

async function handleClick(deps: BotDeps, admission: Admission, click: Click, show: (answer: Answer) => Promise<void>): Promise<void> {
  const work = deps.inFlight.track(async () => {
    const answer = await guarded(deps, () => answerClick(deps, admission, click, show));
    if (answer) await show(answer);
  });
  if (work) return work;
  deps.meter.refused('Full');
  await show(say('meshops has too much to do at this moment. Your click changed nothing; press again in a few seconds.'));
}

/** Whatever breaks becomes a sentence: silence would look like success, or like Slack's fault. */
async function guarded<T extends Answer | undefined>(deps: BotDeps, work: () => Promise<T>): Promise<T | Answer> {
  try {
    return await work();
  } catch (error) {
    deps.log.error({ err: error }, 'a request from Slack could not be answered');
    deps.meter.refused('Broken');
    return sayPlain(refusal('Broken').words);
  }
}

/** The answer, or in time a word that it follows. */
async function inTime(deps: BotDeps, work: Promise<Answer>, later: (answer: Answer) => Promise<void>): Promise<Answer> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<undefined>((resolve) => {
    timer = setTimeout(() => resolve(undefined), ANSWER_MS);
  });
  const answer = await Promise.race([work, late]);
  clearTimeout(timer);
  if (answer) return answer;
  inBackground(deps, 'a late answer could not be told', async () => {
    const late = await work;
    if (!late.isPosted) await later(late);
  });
  return say('Still working on it; the answer follows here. Do not send the command again.');
}

function originOfCommand(command: SlashCommand): Origin {
  return {
    teamId: command.team_id,
    appId: command.api_app_id,
    channelId: command.channel_id,
    userId: command.user_id,
    triggerId: command.trigger_id,
  };
}

function originOf(body: BlockAction | ViewSubmitAction): Omit<Origin, 'channelId'> {
  return { teamId: body.team?.id ?? '', appId: body.api_app_id, userId: body.user.id, triggerId: triggerOf(body) };
}

/** A submission carries a trigger of its own; the view's id stands in where a client leaves it out, and is as unique. */
function triggerOf(body: BlockAction | ViewSubmitAction): string {
  if (body.type === 'block_actions') return body.trigger_id;
  return 'trigger_id' in body && typeof body.trigger_id === 'string' ? body.trigger_id : body.view.id;
}

/** Bolt's own words go to the log; its debug level would hold whole requests. */
function boltLogger(deps: BotDeps): Logger {
  const log = deps.log.child({ from: 'bolt' });
  const text = (parts: readonly unknown[]): string => parts.map((part) => (part instanceof Error ? part.message : String(part))).join(' ');
  return {
    debug: () => undefined,
    info: (...parts) => log.debug({}, text(parts)),
    warn: (...parts) => log.warn({}, text(parts)),
    error: (...parts) => log.error({}, text(parts)),
    setLevel: () => undefined,
    getLevel: () => LogLevel.INFO,
    setName: () => undefined,
  };
}
