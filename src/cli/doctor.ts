import { isSqlite, openDatabase, refuseReplicas } from '../audit/database.ts';
import { databaseUrlOf, PLAINTEXT, secretsOf, temporalAddressOf } from '../compose/foundation.ts';
import type { Environment } from '../config/environment.ts';
import { formatConfigError, readConfigFile } from '../config/read.ts';
import type { Config } from '../domain/config/schema.ts';
import { createWebClient } from '../slack/web.ts';
import { connectClient } from '../temporal/connection.ts';
import type { CliOptions } from './audit-verify.ts';
import { clusterChecks } from './check-cluster.ts';
import { slackChecks } from './check-slack.ts';
import { type Check, formatFound, runCheck } from './checks.ts';

/** Checks every connection, right and version that meshops needs. Exit code 0 when nothing is missing. */
export async function doctor({ environment, configPath, signal, print }: CliOptions): Promise<number> {
  const read = await readConfigFile(configPath);
  if (!read.ok) {
    for (const error of read.errors) print(`✗ ${formatConfigError(configPath, error)}`);
    return 1;
  }
  print(`✓ configuration: ${configPath}`);
  const found = await Promise.all(checksOf(environment, read.config).map((check) => runCheck(check, signal)));
  for (const one of found) print(formatFound(one));
  const missing = found.filter((one) => !one.ok).length;
  print(missing === 0 ? 'Everything that meshops needs is there.' : `${missing} of ${found.length} checks failed.`);
  return missing === 0 ? 0 : 1;
}

function checksOf(environment: Environment, config: Config): readonly Check[] {
  const slackApiUrl = environment.slackApiUrl ?? config.slack.apiUrl;
  const token = environment.slackBotToken;
  return [
    { name: 'secrets', look: async () => checkSecrets(environment, config) },
    { name: 'payloads', look: async () => checkPayloads(environment, config) },
    ...(token ? slackChecks(createWebClient({ token, ...(slackApiUrl ? { slackApiUrl } : {}) }), config) : []),
    { name: 'database', look: () => checkDatabase(environment, config) },
    { name: 'Temporal', look: () => checkTemporal(environment, config) },
    ...Object.entries(config.clusters).flatMap(([name, cluster]) => clusterChecks(name, cluster, config)),
  ];
}

function checkSecrets(environment: Environment, config: Config): string {
  const way = config.slack.mode === 'http' ? 'SLACK_SIGNING_SECRET' : 'SLACK_APP_TOKEN';
  const wayIn = config.slack.mode === 'http' ? environment.slackSigningSecret : environment.slackAppToken;
  const missing = [
    ...(environment.slackBotToken ? [] : ['SLACK_BOT_TOKEN']),
    ...(wayIn ? [] : [`${way} (for slack.mode ${config.slack.mode})`]),
  ];
  if (missing.length > 0) throw new Error(`not set: ${missing.join(', ')}`);
  return 'set';
}

/** Fails closed: readable payloads are a decision, and have to be written down as one. */
function checkPayloads(environment: Environment, config: Config): string {
  const secrets = secretsOf(environment, config);
  if (!secrets && !config.temporal.allowPlaintext) throw new Error(PLAINTEXT);
  if (!secrets) return 'readable for whoever reads Temporal, as temporal.allowPlaintext says';
  const plain = secrets.allowPlaintext ? '; what is not encrypted is taken as well (temporal.allowPlaintext)' : '';
  return `encrypted with ${secrets.keys.length === 1 ? 'one key' : `${secrets.keys.length} keys`}${plain}`;
}

async function checkDatabase(environment: Environment, config: Config): Promise<string> {
  const url = databaseUrlOf(environment, config);
  refuseReplicas(url, environment.replicas);
  const db = await openDatabase(url);
  await db.destroy();
  return isSqlite(url) ? 'SQLite, for one replica' : 'Postgres';
}

async function checkTemporal(environment: Environment, config: Config): Promise<string> {
  const where = temporalAddressOf(environment, config);
  const { client, close } = await connectClient(where, undefined, 4_000);
  try {
    const { serverVersion } = await client.connection.workflowService.getSystemInfo({});
    await client.connection.workflowService.describeNamespace({ namespace: where.namespace }).catch((error: unknown) => {
      throw new Error(`has no namespace "${where.namespace}", or this one may not be read`, { cause: error });
    });
    return `${where.address}, server ${serverVersion ?? 'of unknown version'}, namespace ${where.namespace}`;
  } finally {
    await close();
  }
}
