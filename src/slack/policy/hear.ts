// Messages that begin with the bot's mention, with a policy attached or not, and the buttons below a proposal.

import type { App, BlockAction, ButtonAction } from '@slack/bolt';
import type { Area } from '../../domain/commands/verbs.ts';
import { shortName, verbOf, verbsIn } from '../../domain/commands/verbs.ts';
import type { Admission } from '../admission.ts';
import { type Answer, sayPlain } from '../answer.ts';
import { answerSlash } from '../commands.ts';
import type { BotDeps } from '../deps.ts';
import { type ReplyTo, tell } from '../later.ts';
import { commandIn, MENTION_VALID_MS, type Mentioned, readMention } from '../mention.ts';
import type { Origin } from '../origin.ts';
import { refusal, refusalOf } from '../refusals.ts';
import { typed } from '../typed.ts';
import { afterwards } from './afterwards.ts';
import { findProposalFile, PROPOSAL_ACTIONS, type ProposalAction, parseProposal } from './proposal.ts';

/** Slash commands carry no files and do not work in threads; a mention does both. It takes the same words. */
export function hearMentions(app: App, deps: BotDeps, admission: Admission, botUserId: string): void {
  app.event('app_mention', async ({ body }) => {
    const mention = readMention(body);
    const words = mention && commandIn(mention.text, botUserId);
    if (!mention || words === undefined) return;
    const { channelId, userId } = mention.origin;
    const show = teller(deps, { channelId, userId, ...(mention.threadTs === undefined ? {} : { threadTs: mention.threadTs }) });
    const full = afterwards(deps, show, () => obey(deps, admission, mention, words, show));
    if (full) await show(full);
  });
}

async function obey(
  deps: BotDeps,
  admission: Admission,
  { origin, at, files, threadTs, ts }: Mentioned,
  words: string,
  show: (answer: Answer) => Promise<void>,
): Promise<Answer | undefined> {
  const late = !(Math.abs(deps.now() - at) <= MENTION_VALID_MS);
  const refused = admission.greet(origin) ?? (late ? refusal('TooLate') : undefined);
  if (refused) {
    deps.meter.refused(refused.code);
    const first = deps.refusals.note({ origin, code: refused.code, actor: origin.userId, data: { channel: origin.channelId } });
    return first || late ? sayPlain(refused.words) : undefined;
  }
  if (files.length > 1)
    return sayPlain(refusalOf({ code: 'NoFile', parameters: { words: 'there is more than one, and only one can be meant.' } }).words);
  const text = await typed(words, (userId) => deps.people.nameOf(userId));
  const [file] = files;
  const { mesh, policy } = deps.config().slack.commands;
  const command = file || isPolicyWord(text) ? policy : mesh;
  const place = { threadTs: threadTs ?? ts, ...(file ? { file } : {}) };
  const slash = { origin, command, text: command === policy ? text.replace(/^policy\s+/i, '') : text, ...place };
  return answerSlash(deps, admission, slash, show);
}

export function hearProposals(app: App, deps: BotDeps, admission: Admission): void {
  app.action<BlockAction<ButtonAction>>(/^meshops-policy:/, async ({ ack, action, body, respond }) => {
    await ack();
    const channelId = body.channel?.id;
    const ts = body.message?.ts;
    if (!channelId || !ts) return;
    const threadTs = body.message?.['thread_ts'] as string | undefined;
    const origin: Origin = {
      teamId: body.team?.id ?? '',
      appId: body.api_app_id,
      userId: body.user.id,
      triggerId: body.trigger_id,
      channelId,
    };
    const show = teller(deps, { channelId, userId: body.user.id, respond });
    const full = afterwards(deps, show, () => pressed(deps, admission, { origin, action, threadTs: threadTs ?? ts }, show));
    if (full) await show(full);
  });
}

interface Pressed {
  readonly origin: Origin;
  readonly action: ButtonAction;
  readonly threadTs: string;
}

/** A button is a command with the proposal's file; who pressed it is checked as for any command. */
async function pressed(
  deps: BotDeps,
  admission: Admission,
  { origin, action, threadTs }: Pressed,
  show: (answer: Answer) => Promise<void>,
): Promise<Answer> {
  const greeted = admission.greet(origin);
  if (greeted) {
    deps.meter.refused(greeted.code);
    deps.refusals.note({ origin, code: greeted.code, actor: origin.userId, data: { channel: origin.channelId } });
    return sayPlain(greeted.words);
  }
  const command = Object.hasOwn(PROPOSAL_ACTIONS, action.action_id) ? PROPOSAL_ACTIONS[action.action_id as ProposalAction] : undefined;
  const verb = command && verbOf(command);
  const proposal = parseProposal(action.value ?? '');
  if (!verb || !proposal) return sayPlain(refusal('ForgedButton').words);
  const file = await findProposalFile(deps, proposal, { channelId: origin.channelId, ts: threadTs });
  if (!file) return sayPlain(refusalOf({ code: 'NoFile', parameters: { words: 'it is no longer in this thread.' } }).words);
  const { cluster, namespace, name } = proposal.target;
  const text = `${shortName(verb)} ${cluster}/${namespace}/${name}`;
  const slash = { origin, command: deps.config().slack.commands.policy, text, file, sha256: proposal.sha256, threadTs };
  return answerSlash(deps, admission, slash, show);
}

const AREA: Area = 'policy';

function isPolicyWord(text: string): boolean {
  const first = text.split(/\s+/)[0]?.toLowerCase() ?? '';
  return first === AREA || (verbOf(first) === undefined && verbsIn(AREA).some((verb) => shortName(verb) === first));
}

function teller(deps: BotDeps, to: ReplyTo): (answer: Answer) => Promise<void> {
  return (answer) => tell(deps, to, answer);
}
