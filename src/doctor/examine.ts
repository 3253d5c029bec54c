// Everything that `meshops doctor` and `/mesh doctor` look at.
import { isSqlite, openDatabase, refuseReplicas } from '../audit/database.ts';
import { createWebClient } from '../clients/slack-web.ts';
import type { Environment } from '../config/environment.ts';
import { databaseUrlOf, PLAINTEXT, secretsOf, temporalAddressOf } from '../connect/settings.ts';
import type { Config } from '../domain/config/schema.ts';
import { wayOut } from '../net/proxy.ts';
import { type Check, type Found, Missing, type ProcessName, type Remark, runCheck } from './checks.ts';
import { databaseClock, skewWords } from './clock.ts';
import { clusterChecks } from './cluster.ts';
import { slackChecks } from './slack.ts';
import { temporalChecks } from './temporal.ts';

/** Looks at every connection, right and version that this process needs, all side by side. Never rejects. */
export function examine(environment: Environment, config: Config, process: ProcessName, signal: AbortSignal): Promise<readonly Found[]> {
  return Promise.all(checksOf(environment, config, process).map((check) => runCheck(check, signal)));
}

function checksOf(environment: Environment, config: Config, process: ProcessName): readonly Check[] {
  const slackApiUrl = environment.slackApiUrl ?? config.slack.apiUrl;
  const token = environment.slackBotToken;
  const web = token ? createWebClient({ token, ...(slackApiUrl ? { slackApiUrl } : {}) }) : undefined;
  return [
    {
      name: 'secrets',
      todo: 'Set them in the environment, or name files that hold them (docs/configuration.md, Secrets).',
      look: async () => checkSecrets(environment, config, process),
    },
    {
      name: 'payloads',
      todo: 'Set MESHOPS_PAYLOAD_KEY, or temporal.allowPlaintext: true if that is meant.',
      look: async () => checkPayloads(environment, config),
    },
    {
      name: "Slack's clock",
      todo: 'Check that this process reaches Slack: the network policy, HTTPS_PROXY and NO_PROXY.',
      look: (signal) => checkSlackClock(slackApiUrl ?? 'https://slack.com/api/', signal),
    },
    ...(web ? slackChecks(web, config) : []),
    {
      name: 'database',
      todo: 'Check DATABASE_URL, or audit.database and its folder.',
      look: () => checkDatabase(environment, config),
    },
    ...temporalChecks(() => temporalAddressOf(environment, config)),
    ...Object.entries(config.clusters).flatMap(([name, cluster]) => clusterChecks(name, cluster, config, process)),
  ];
}

function checkSecrets(environment: Environment, config: Config, process: ProcessName): string {
  const way = config.slack.mode === 'http' ? 'SLACK_SIGNING_SECRET' : 'SLACK_APP_TOKEN';
  const wayIn = config.slack.mode === 'http' ? environment.slackSigningSecret : environment.slackAppToken;
  const missing = [
    ...(environment.slackBotToken ? [] : ['SLACK_BOT_TOKEN']),
    ...(wayIn || process === 'worker' ? [] : [`${way} (for slack.mode ${config.slack.mode})`]),
  ];
  if (missing.length > 0) throw new Error(`not set: ${missing.join(', ')}`);
  return 'set';
}

/** Fails closed: readable payloads are a decision, and have to be written down as one. */
function checkPayloads(environment: Environment, config: Config): string | Remark {
  const secrets = secretsOf(environment, config);
  if (!secrets && !config.temporal.allowPlaintext) throw new Error(PLAINTEXT);
  if (!secrets) return 'readable for whoever reads Temporal, as temporal.allowPlaintext says';
  const keys = `encrypted with ${secrets.keys.length === 1 ? 'one key' : `${secrets.keys.length} keys`}`;
  if (!secrets.allowPlaintext) return keys;
  const todo = 'Take temporal.allowPlaintext out when the operations from before the key are over.';
  return { words: `${keys}; what is not encrypted is taken as well (temporal.allowPlaintext)`, todo };
}

async function checkSlackClock(apiUrl: string, signal: AbortSignal): Promise<string | Remark> {
  const sent = Date.now();
  const answer = await wayOut().fetch(new URL('api.test', apiUrl).href, { method: 'POST', signal });
  await answer.arrayBuffer();
  return skewWords('Slack', answer.headers.get('date') ?? undefined, sent, Date.now());
}

async function checkDatabase(environment: Environment, config: Config): Promise<string | Remark> {
  const url = databaseUrlOf(environment, config);
  try {
    refuseReplicas(url, environment.replicas);
  } catch (error) {
    throw new Missing(error instanceof Error ? error.message : String(error), 'Set DATABASE_URL to a Postgres database.');
  }
  const db = await openDatabase(url);
  try {
    return isSqlite(url) ? 'SQLite, for one replica' : joined('Postgres', await databaseClock(db));
  } finally {
    await db.destroy();
  }
}

function joined(what: string, found: string | Remark): string | Remark {
  return typeof found === 'string' ? `${what}, ${found}` : { ...found, words: `${what}, ${found.words}` };
}
