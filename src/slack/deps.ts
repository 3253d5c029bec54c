import type { WebClient } from '@slack/web-api';
import type { Emergencies } from '../audit/emergencies.ts';
import type { Freezes } from '../audit/freezes.ts';
import type { Handovers } from '../audit/handovers.ts';
import type { Audit } from '../audit/log.ts';
import type { Requests } from '../audit/requests.ts';
import type { Right } from '../clients/kubernetes/cluster.ts';
import type { Config } from '../domain/config/schema.ts';
import type { KubernetesIdentity } from '../domain/lifecycle/actor.ts';
import type { MessageRef, OperationView } from '../domain/lifecycle/operation.ts';
import type { Target } from '../domain/target.ts';
import type { Log } from '../log.ts';
import type { InFlight } from '../temporal/in-flight.ts';
import type { Operations } from '../temporal/operations.ts';
import type { Doctor } from './doctor.ts';
import type { EncryptionParts } from './encryption/parts.ts';
import type { ChoiceParts } from './forms/choices.ts';
import type { SlackPeople } from './people.ts';
import type { PolicyParts } from './policy/parts.ts';
import type { RefusalBook } from './refusal-book.ts';
import type { Room } from './room.ts';

/** What the bot tells its metrics. */
export interface BotMeter {
  acked(what: 'command' | 'click', ms: number): void;
  refused(code: string): void;
}

export interface MissingScope {
  readonly cluster: string;
  readonly namespace: string;
  readonly name?: string;
}

export interface BotDeps {
  /** The app that our token belongs to, as Slack says it; left out: it did not say. */
  readonly appId?: string;
  /** The configuration as it is now. */
  readonly config: () => Config;
  readonly operations: Operations;
  readonly audit: Audit;
  readonly requests: Requests;
  readonly freezes: Freezes;
  readonly emergencies: Emergencies;
  /** Looks at everything that this process needs. Left out: the command says where to look. */
  readonly doctor?: Doctor;
  /** What Git does not agree with. Left out: nobody is told. */
  readonly handovers?: Pick<Handovers, 'open'>;
  readonly people: SlackPeople;
  readonly web: WebClient;
  /** Present weights of a target in words, when they can be read cheaply. */
  readonly liveWeights?: (target: Target, signal: AbortSignal) => Promise<string | undefined>;
  /** The first of these rights that this person does not have, by the cluster's own word. Rejects when it does not say. */
  readonly lacking: (cluster: string, rights: readonly Right[], as: KubernetesIdentity, signal: AbortSignal) => Promise<Right | undefined>;
  /** What a scope names that the cluster does not have, in words; rejects when the cluster does not say. */
  readonly missing?: (scope: MissingScope, signal: AbortSignal) => Promise<string | undefined>;
  /** Edits an operation's message so that it shows what is true now. */
  readonly refresh: (view: OperationView) => Promise<void>;
  /** Takes the buttons that hold no more off the message of an operation that is over. Never rejects. */
  readonly retire: (message: MessageRef) => Promise<void>;
  /** What forms offer. */
  readonly choices: ChoiceParts;
  readonly policy: PolicyParts;
  readonly encryption: EncryptionParts;
  readonly meter: BotMeter;
  readonly refusals: RefusalBook;
  readonly room: Room;
  readonly inFlight: InFlight;
  readonly now: () => number;
  readonly log: Log;
}
