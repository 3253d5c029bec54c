import type { WebClient } from '@slack/web-api';
import type { Log } from '../../activities/log.ts';
import type { Freezes } from '../audit/freezes.ts';
import type { Handovers } from '../audit/handovers.ts';
import type { Audit } from '../audit/log.ts';
import type { Requests } from '../audit/requests.ts';
import type { Config } from '../domain/config/schema.ts';
import type { MessageRef, OperationView } from '../domain/operation.ts';
import type { Target } from '../domain/target.ts';
import type { InFlight } from '../temporal/in-flight.ts';
import type { Operations } from '../temporal/operations.ts';
import type { Doctor } from './doctor.ts';
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
  /** The configuration as it is now. */
  readonly config: () => Config;
  readonly operations: Operations;
  readonly audit: Audit;
  readonly requests: Requests;
  readonly freezes: Freezes;
  /** Looks at everything that this process needs. Left out: the command says where to look. */
  readonly doctor?: Doctor;
  /** What Git does not agree with. Left out: nobody is told. */
  readonly handovers?: Pick<Handovers, 'open'>;
  readonly people: SlackPeople;
  readonly web: WebClient;
  /** Present weights of a target in words, when they can be read cheaply. */
  readonly liveWeights?: (target: Target, signal: AbortSignal) => Promise<string | undefined>;
  /** What a scope names that the cluster does not have, in words; rejects when the cluster does not say. */
  readonly missing?: (scope: MissingScope, signal: AbortSignal) => Promise<string | undefined>;
  /** Edits an operation's message so that it shows what is true now. */
  readonly refresh: (view: OperationView) => Promise<void>;
  /** Takes the buttons that hold no more off the message of an operation that is over. Never rejects. */
  readonly retire: (message: MessageRef) => Promise<void>;
  readonly policy: PolicyParts;
  readonly meter: BotMeter;
  readonly refusals: RefusalBook;
  readonly room: Room;
  readonly inFlight: InFlight;
  readonly now: () => number;
  readonly log: Log;
}
