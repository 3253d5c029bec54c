import type { SlackFile, SlackText } from '../../../activities/clients/slack.ts';
import type { FoundCandidate } from '../../../activities/policy/sources/find.ts';
import type { AttachedFile, Downloaded } from '../../../activities/policy/sources/thread-file.ts';
import type { Actor } from '../../domain/actor.ts';
import type { Target } from '../../domain/target.ts';
import type { Origin } from '../admission.ts';
import type { Answer } from '../answer.ts';
import type { ChannelRule } from '../rules.ts';

/** What the policy verbs need beyond the rest of the bot. */
export interface PolicyParts {
  /** The candidate of a workload from a ConfigMap or the folder. Rejects when the cluster does not answer. */
  candidate(target: Target, signal: AbortSignal): Promise<FoundCandidate>;
  /** The text of a file that somebody attached. */
  download(file: AttachedFile, signal: AbortSignal): Promise<Downloaded>;
  /** A message that everybody sees; returns its ts. */
  post(channelId: string, message: SlackText, threadTs?: string): Promise<string>;
  upload(file: SlackFile): Promise<void>;
}

/** One request for a policy verb, by slash command, mention or button. */
export interface PolicyAsked {
  readonly origin: Origin;
  readonly actor: Actor;
  readonly rule: ChannelRule;
  /** What the person typed, with the command's name. */
  readonly text: string;
  /** Attached to the message: comes before every other source. */
  readonly file?: AttachedFile;
  /** Where results go; left out: a message of their own. */
  readonly threadTs?: string;
}

export type Later = (answer: Answer) => Promise<void>;
