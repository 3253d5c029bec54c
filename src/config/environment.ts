import { readFileSync } from 'node:fs';

/** Everything that comes from the environment, read once by main. Secrets are here and nowhere else. */
export interface Environment {
  readonly slackBotToken: string | undefined;
  readonly slackSigningSecret: string | undefined;
  readonly slackAppToken: string | undefined;
  readonly payloadKey: string | undefined;
  readonly databaseUrl: string | undefined;
  readonly temporalApiKey: string | undefined;
  /** Another Web API than Slack's own. */
  readonly slackApiUrl: string | undefined;
  /** How many bots run side by side: more than one needs Postgres. */
  readonly replicas: number;
  readonly logLevel: string;
  /** Address for the metrics of Temporal's core, `host:port`. */
  readonly temporalMetrics: string | undefined;
  /** A workflow bundle that was built beforehand. */
  readonly workflowBundle: string | undefined;
}

/** A secret that is named but cannot be read. The message has the name, never the value. */
export class SecretRefused extends Error {
  override readonly name = 'SecretRefused' as const;
}

type Variables = Readonly<Record<string, string | undefined>>;

/** `NAME` itself, or the content of the file that `NAME_FILE` names. */
export function secretOf(variables: Variables, name: string): string | undefined {
  const direct = variables[name];
  const file = variables[`${name}_FILE`];
  if (direct && file) throw new SecretRefused(`Both ${name} and ${name}_FILE are set. Nothing was started. Keep one of them.`);
  if (direct) return direct;
  if (!file) return undefined;
  try {
    return readFileSync(file, 'utf8').trim() || undefined;
  } catch (error) {
    const reason = error instanceof Error && 'code' in error ? String(error.code) : 'unreadable';
    throw new SecretRefused(`${name}_FILE names a file that cannot be read (${reason}). Nothing was started.`);
  }
}

export function readEnvironment(variables: Variables): Environment {
  const replicas = Number(variables['MESHOPS_REPLICAS'] ?? '1');
  if (!Number.isInteger(replicas) || replicas < 1) throw new SecretRefused('MESHOPS_REPLICAS must be a whole number from 1 on.');
  return {
    slackBotToken: secretOf(variables, 'SLACK_BOT_TOKEN'),
    slackSigningSecret: secretOf(variables, 'SLACK_SIGNING_SECRET'),
    slackAppToken: secretOf(variables, 'SLACK_APP_TOKEN'),
    payloadKey: secretOf(variables, 'MESHOPS_PAYLOAD_KEY'),
    databaseUrl: secretOf(variables, 'DATABASE_URL'),
    temporalApiKey: secretOf(variables, 'TEMPORAL_API_KEY'),
    slackApiUrl: variables['SLACK_API_URL'] || undefined,
    replicas,
    logLevel: variables['LOG_LEVEL'] ?? 'info',
    temporalMetrics: variables['TEMPORAL_METRICS_ADDRESS'] || undefined,
    workflowBundle: variables['MESHOPS_WORKFLOW_BUNDLE'] || undefined,
  };
}
