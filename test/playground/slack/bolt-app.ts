// An unmodified Bolt app and a playground around it, over HTTP or Socket Mode.
import { App, LogLevel, SocketModeReceiver } from '@slack/bolt';
import type { Limits } from '../../../playground/slack/limits.ts';
import type { Panel } from '../../../playground/slack/panel.ts';
import { type SlackPlayground, startSlack } from '../../../playground/slack/slack.ts';

export interface Stage {
  readonly slack: SlackPlayground;
  readonly app: App;
  [Symbol.asyncDispose](): Promise<void>;
}

export interface StageOptions {
  readonly mode?: 'http' | 'socket';
  readonly limits?: Partial<Limits>;
  readonly now?: () => number;
  readonly panel?: Panel;
  readonly shouldEscape?: boolean;
  readonly scopes?: readonly string[];
  /** Puts the app's listeners in place. */
  readonly listen?: (app: App) => void;
}

const secrets = { signingSecret: 'playground-signing-secret', botToken: 'xoxb-playground', appToken: 'xapp-playground' };

/** Starts both; the app answers on a free port. */
export async function stage(options: StageOptions = {}): Promise<Stage> {
  const socketMode = options.mode === 'socket';
  const ending = new AbortController();
  const slack = await startSlack({
    signal: ending.signal,
    app: {
      ...secrets,
      socketMode,
      slashCommands: [
        {
          command: '/mesh',
          description: 'Change the mesh',
          usage: 'canary <service> <percent>%',
          shouldEscape: options.shouldEscape ?? true,
        },
        { command: '/forgotten', description: 'No listener has this one', usage: '' },
      ],
      messageShortcuts: [{ name: 'Use as policy', callbackId: 'use_policy' }],
      ...(options.scopes ? { scopes: options.scopes } : {}),
    },
    ...(options.limits ? { limits: options.limits } : {}),
    ...(options.now ? { now: options.now } : {}),
    ...(options.panel ? { panel: options.panel } : {}),
  });
  const clientOptions = { slackApiUrl: slack.apiUrl, retryConfig: { retries: 0 }, rejectRateLimitedCalls: true };
  // Bolt waits this long before it reconnects; its own default of 5 s would be most of this tier's time.
  const timing = { clientPingTimeout: 1_000, installerOptions: { clientOptions }, logLevel: LogLevel.ERROR };
  const app = new App({
    token: slack.botToken,
    ...(socketMode
      ? { receiver: new SocketModeReceiver({ appToken: secrets.appToken, ...timing }) }
      : { signingSecret: slack.signingSecret }),
    logLevel: LogLevel.ERROR,
    clientOptions,
  });
  options.listen?.(app);
  const server = socketMode ? await app.start() : await app.start(0);
  if (socketMode) await slack.drive.waitFor(() => slack.connections() > 0);
  else slack.setRequestUrl(`http://127.0.0.1:${portOf(server)}/slack/events`);
  return {
    slack,
    app,
    [Symbol.asyncDispose]: async () => {
      await app.stop();
      ending.abort();
      await slack.stop();
    },
  };
}

function portOf(server: unknown): number {
  const address =
    typeof server === 'object' && server !== null && 'address' in server && typeof server.address === 'function'
      ? server.address()
      : undefined;
  return typeof address === 'object' && address !== null && 'port' in address ? Number(address.port) : 0;
}
