// What the bot and the workers both stand on: configuration, database, Temporal's client, Slack's client, logs and metrics.

import type { WebClient } from '@slack/web-api';
import type { Client } from '@temporalio/client';
import { type Database, openDatabase, refuseReplicas } from '../audit/database.ts';
import { createEmergencies, type Emergencies } from '../audit/emergencies.ts';
import { createFreezes, type Freezes } from '../audit/freezes.ts';
import { createHandovers, type Handovers } from '../audit/handovers.ts';
import { type Audit, createAudit } from '../audit/log.ts';
import { createRecords, type Records } from '../audit/records.ts';
import { createWebClient } from '../clients/slack-web.ts';
import type { Environment } from '../config/environment.ts';
import { type ConfigSource, openConfig } from '../config/source.ts';
import { databaseUrlOf, PLAINTEXT, secretsOf, temporalAddressOf } from '../connect/settings.ts';
import { standingFreezes } from '../domain/config/freezes.ts';
import { deciding } from '../domain/config/lifters.ts';
import { kubernetesIdentity } from '../domain/config/use.ts';
import { createPeople, type SlackPeople } from '../slack/people.ts';
import { createTelemetry, type Telemetry } from '../telemetry.ts';
import { connectClient, type PayloadSecrets, type TemporalAddress } from '../temporal/connection.ts';
import { type Clusters, openClusters } from './clusters.ts';

export interface Foundation {
  readonly environment: Environment;
  readonly config: ConfigSource;
  readonly telemetry: Telemetry;
  readonly database: Database;
  readonly audit: Audit;
  readonly records: Records;
  readonly emergencies: Emergencies;
  readonly freezes: Freezes;
  readonly handovers: Handovers;
  readonly client: Client;
  readonly where: TemporalAddress;
  readonly secrets: PayloadSecrets | undefined;
  readonly web: WebClient;
  readonly people: SlackPeople;
  readonly clusters: Clusters;
  readonly now: () => number;
  close(): Promise<void>;
}

/** Something that must be set is not; the sentence is for whoever starts the process. */
export class NotSet extends Error {
  override readonly name = 'NotSet' as const;
}

export function required(value: string | undefined, name: string, what: string): string {
  if (!value) throw new NotSet(`${name} is not set: ${what}. Nothing was started. Set ${name}, or ${name}_FILE to a file that holds it.`);
  return value;
}

/** Opens everything. Rejects with a sentence that says what is missing; what was opened until then is closed. */
export async function layFoundation(options: {
  readonly environment: Environment;
  readonly configPath: string;
  readonly component: string;
  readonly signal: AbortSignal;
  /** The numbers of the process come from another thread of it. */
  readonly beside?: unknown;
}): Promise<Foundation> {
  const { environment, signal } = options;
  const now = Date.now;
  const telemetry = createTelemetry({ level: environment.logLevel, component: options.component, process: options.beside === undefined });
  const config = await openConfig({ path: options.configPath, log: telemetry.log, signal });
  const token = required(environment.slackBotToken, 'SLACK_BOT_TOKEN', 'the bot cannot speak in Slack');
  const slackApiUrl = environment.slackApiUrl ?? config.current().slack.apiUrl;
  const web = createWebClient({ token, ...(slackApiUrl ? { slackApiUrl } : {}) });
  const secrets = secretsOf(environment, config.current());
  if (!secrets && !config.current().temporal.allowPlaintext) telemetry.log.warn({}, PLAINTEXT);
  const url = databaseUrlOf(environment, config.current());
  refuseReplicas(url, environment.replicas);
  const database = await openDatabase(url);
  const where = temporalAddressOf(environment, config.current());
  try {
    const { client, close } = await connectClient(where, secrets);
    const clusters = openClusters(() => config.current());
    const people = createPeople({
      replicas: environment.replicas,
      web,
      teamIds: () => config.current().slack.teamIds,
      kubernetesOf: (id, memberOf) => kubernetesIdentity(config.current(), id, memberOf),
      identityGroups: () => config.current().identities.usergroups.map(({ usergroup }) => usergroup),
      named: () => deciding(config.current()),
      now,
      onLimited: (method, ms) => {
        telemetry.slackLimited(method);
        telemetry.log.warn({ method, ms }, 'Slack asks to wait; people who are not known from minutes ago are refused until then');
      },
    });
    const audit = counted(createAudit(database), telemetry);
    const records = createRecords(database, () => config.current().audit.keepWatches);
    return {
      environment,
      config,
      telemetry,
      database,
      audit,
      records,
      emergencies: createEmergencies(database),
      freezes: createFreezes(database, now, () => standingFreezes(config.current().freezes, now())),
      handovers: createHandovers(database),
      client,
      where,
      secrets,
      web,
      people,
      clusters,
      now,
      close: async () => {
        clusters.close();
        await close();
        await records.settled();
        await database.destroy();
      },
    };
  } catch (error) {
    await database.destroy();
    throw error;
  }
}

/** The audit record, with what the metrics want to know of it. */
function counted(audit: Audit, telemetry: Telemetry): Audit {
  return {
    ...audit,
    append: async (records) => {
      try {
        await audit.append(records);
      } catch (error) {
        telemetry.auditFailed();
        throw error;
      }
      for (const record of records) {
        const kind = record.data['kind'];
        if (record.kind === 'outcome' && typeof kind === 'string') telemetry.ended(record.target.cluster, kind);
      }
    },
  };
}
