// Messages that mention the bot, with a policy attached or not, and the buttons below a proposal.
import type { App, BlockAction, ButtonAction } from '@slack/bolt';
import * as z from 'zod';
import type { AttachedFile } from '../../../activities/policy/sources/thread-file.ts';
import { shortName, verbOf, verbsIn } from '../../domain/verbs.ts';
import type { Admission, Origin } from '../admission.ts';
import { type Answer, sayPlain } from '../answer.ts';
import { answerSlash } from '../commands.ts';
import type { BotDeps } from '../deps.ts';
import { type ReplyTo, tell } from '../later.ts';
import { refusal, refusalOf } from '../refusals.ts';
import { afterwards } from './afterwards.ts';
import { findProposalFile, PROPOSAL_ACTIONS, type ProposalAction, parseProposal } from './proposal.ts';

const Mention = z.object({
  team_id: z.string(),
  api_app_id: z.string(),
  event_id: z.string(),
  event: z.object({
    channel: z.string(),
    user: z.string(),
    text: z.string(),
    ts: z.string(),
    thread_ts: z.string().optional(),
    files: z.array(z.object({ name: z.string().nullish(), url_private: z.string().nullish(), size: z.number().nullish() })).nullish(),
  }),
});

/** Slash commands carry no files and do not work in threads; a mention does both. It takes the same words. */
export function hearMentions(app: App, deps: BotDeps, admission: Admission): void {
  app.event('app_mention', async ({ body }) => {
    const read = Mention.safeParse(body);
    if (!read.success) return;
    const { team_id: teamId, api_app_id: appId, event_id: triggerId, event } = read.data;
    const origin: Origin = { teamId, appId, channelId: event.channel, userId: event.user, triggerId };
    const show = teller(deps, { channelId: event.channel, userId: event.user, ...(event.thread_ts ? { threadTs: event.thread_ts } : {}) });
    const text = unescape(event.text.replaceAll(/<@[UW][A-Z0-9]+(\|[^>]*)?>/g, ' ')).trim();
    const files = (event.files ?? []).flatMap(({ name, url_private: url, size }): AttachedFile[] =>
      url ? [{ name: name ?? 'file', url, ...(size === null || size === undefined ? {} : { size }) }] : [],
    );
    const [file] = files;
    afterwards(deps, show, async () => {
      if (files.length > 1)
        return sayPlain(refusalOf({ code: 'NoFile', parameters: { words: 'there is more than one, and only one can be meant.' } }).words);
      const { mesh, policy } = deps.config().slack.commands;
      const command = file || isPolicyWord(text) ? policy : mesh;
      const place = { threadTs: event.thread_ts ?? event.ts, ...(file ? { file } : {}) };
      return answerSlash(
        deps,
        admission,
        { origin, command, text: command === policy ? text.replace(/^policy\s+/i, '') : text, ...place },
        show,
      );
    });
  });
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
    afterwards(deps, show, () => pressed(deps, admission, { origin, action, threadTs: threadTs ?? ts }, show));
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

function isPolicyWord(text: string): boolean {
  const first = text.split(/\s+/)[0]?.toLowerCase() ?? '';
  return first === 'policy' || (verbOf(first) === undefined && verbsIn('policy').some((verb) => shortName(verb) === first));
}

function teller(deps: BotDeps, to: ReplyTo): (answer: Answer) => Promise<void> {
  return (answer) => tell(deps, to, answer);
}

const ENTITIES: Readonly<Record<string, string>> = { '&amp;': '&', '&lt;': '<', '&gt;': '>' };

function unescape(text: string): string {
  return text.replaceAll(/&(amp|lt|gt);/g, (entity) => ENTITIES[entity] ?? entity);
}
