import type { RingContents, RingRequest } from '../../clients/hubble/ring.ts';
import type { SlackFile, SlackText } from '../../clients/slack.ts';
import type { Actor, KubernetesIdentity } from '../../domain/lifecycle/actor.ts';
import type { Candidate } from '../../domain/policy/change.ts';
import type { Target } from '../../domain/target.ts';
import type { SeenWorkload } from '../../reading/policy/seen-workload.ts';
import type { ServerWord } from '../../reading/policy/server-word.ts';
import type { FoundCandidate } from '../../reading/policy/sources/find.ts';
import type { AttachedFile, Downloaded } from '../../reading/policy/sources/thread-file.ts';
import type { World } from '../../reading/policy/world.ts';
import type { Answer } from '../answer.ts';
import type { Origin } from '../origin.ts';
import type { ChannelRule } from '../rules.ts';
import type { Apart } from './apart.ts';

/** What the policy verbs need beyond the rest of the bot. */
export interface PolicyParts {
  /** Work on what people wrote, apart from the thread that answers. */
  readonly apart: Pick<Apart, 'run'>;
  /** The candidate of a workload from a ConfigMap or the folder. Rejects when the cluster does not answer. */
  candidate(target: Target, signal: AbortSignal): Promise<FoundCandidate>;
  /** The text of a file that somebody attached. */
  download(file: AttachedFile, signal: AbortSignal): Promise<Downloaded>;
  /** Policies, services and settings that decide the connections of a namespace. */
  world(cluster: string, namespace: string, signal: AbortSignal): Promise<World>;
  workload(target: Target, signal: AbortSignal): Promise<SeenWorkload | undefined>;
  /** Namespaces that have a workload of this name; `first` is looked at before all others, and alone where it has it. Rejects when the cluster does not say. */
  namespacesOf(
    where: { readonly cluster: string; readonly name: string; readonly first: string | undefined },
    signal: AbortSignal,
  ): Promise<readonly string[]>;
  /** What Hubble still holds. */
  rings(cluster: string, request: RingRequest, signal: AbortSignal): Promise<RingContents>;
  /** The server's word on a policy, in a strict dry run as this person. */
  askServer(cluster: string, candidate: Candidate, as: KubernetesIdentity | undefined, signal: AbortSignal): Promise<ServerWord>;
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
  /** What the file's text must hash to: it is the one that the button spoke of. */
  readonly sha256?: string;
  /** Where results go; left out: a message of their own. */
  readonly threadTs?: string;
}

export type Later = (answer: Answer) => Promise<void>;
