// A strict Slack on one machine: Web API, signed HTTP and Socket Mode for the app, a page for people, a drive for tests.

import { randomUUID } from 'node:crypto';
import type { Server } from 'node:http';
import { createApiServer } from './api-server.ts';
import type { CallLog } from './call-log.ts';
import { Changes } from './changes.ts';
import { type Core, createCore, type SlackApp } from './core.ts';
import { type Delivered, Deliveries } from './delivery.ts';
import { Drive } from './drive.ts';
import { Faults } from './faults.ts';
import { type Limits, slackLimits } from './limits.ts';
import { type Inherited, listen, unlisten } from './listen.ts';
import { createPageServer } from './page-server.ts';
import type { Panel } from './panel.ts';
import { SlackRefusal } from './refusal.ts';
import { SocketHub } from './sockets.ts';
import { demoWorkspace, type Workspace } from './workspace.ts';

export interface SlackOptions {
  /** Port of the page, or a socket for it; a free one when left out. */
  readonly port?: number | Inherited;
  readonly signal: AbortSignal;
  readonly workspace?: Workspace;
  readonly app: SlackApp;
  readonly limits?: Partial<Limits>;
  readonly now?: () => number;
  readonly panel?: Panel;
}

export interface SlackPlayground {
  /** The page for people. */
  readonly url: string;
  /** For WebClient's `slackApiUrl`. */
  readonly apiUrl: string;
  readonly signingSecret: string;
  readonly botToken: string;
  readonly appToken: string | undefined;
  readonly drive: Drive;
  readonly faults: Faults;
  readonly log: CallLog;
  /** Tells where the app listens, once it does. */
  setRequestUrl(url: string): void;
  /** Sends the url_verification challenge; true if the app answered with it. */
  verifyRequestUrl(): Promise<boolean>;
  /** Socket Mode connections open now. */
  connections(): number;
  /** Tells Socket Mode clients to go; `cut` drops them without a word. */
  disconnectSockets(reason: 'warning' | 'refresh_requested' | 'link_disabled' | 'cut'): void;
  stop(): Promise<void>;
}

function isChallenge(delivered: Delivered, challenge: string): boolean {
  const { ack } = delivered;
  const said = typeof ack === 'object' && ack !== null && 'challenge' in ack ? ack.challenge : ack;
  return delivered.ok && said === challenge;
}

/** The servers and what works on them, before anything listens. */
interface Parts {
  readonly core: Core;
  readonly hub: SocketHub;
  readonly deliveries: Deliveries;
  readonly drive: Drive;
  readonly apiServer: Server;
  readonly pageServer: Server;
  /** Opens both and resolves with the page's port. */
  readonly open: () => Promise<number>;
}

function assemble(options: SlackOptions, signal: AbortSignal): Parts {
  const limits: Limits = { ...slackLimits, ...options.limits };
  const workspace = options.workspace ?? demoWorkspace();
  const changes = new Changes();
  const hub = new SocketHub(workspace.appId, limits.maxSockets, () => changes.announce({ kind: 'sockets' }));
  let apiPort = 0;
  const faults = new Faults(changes, async (down) => {
    if (down) hub.cut();
    if (down === 'refuse') await unlisten(apiServer);
    else if (!apiServer.listening && !signal.aborted) await listen(apiServer, apiPort);
  });
  const socketUrl = (): string => {
    if (!options.app.socketMode) throw new SlackRefusal('forbidden_team');
    return `ws://127.0.0.1:${apiPort}/link/?ticket=${hub.ticket()}&app_id=${workspace.appId}`;
  };
  const apiOrigin = (): string => `http://127.0.0.1:${apiPort}`;
  const now = options.now ?? Date.now;
  const core = createCore({ app: options.app, now, limits, changes, faults, apiOrigin, socketUrl }, workspace);
  const apiServer = createApiServer(core, hub);
  const deliveries = new Deliveries(core, hub, signal);
  const drive = new Drive(core, deliveries, signal);
  const pageServer = createPageServer({ core, drive, signal, ...(options.panel ? { panel: options.panel } : {}) });
  const open = async (): Promise<number> => {
    apiPort = await listen(apiServer, 0);
    return listen(pageServer, options.port ?? 0);
  };
  return { core, hub, deliveries, drive, apiServer, pageServer, open };
}

async function verify(deliveries: Deliveries): Promise<boolean> {
  const challenge = randomUUID();
  const payload = { type: 'url_verification', token: 'playground', challenge };
  return isChallenge(await deliveries.deliver('events_api', payload, 'url_verification'), challenge);
}

/** Starts both servers on 127.0.0.1. Rejects, leaving nothing open, when the page's port is taken. Ends with `signal` or `stop()`. */
export async function startSlack(options: SlackOptions): Promise<SlackPlayground> {
  options.signal.throwIfAborted();
  const stopping = new AbortController();
  const { core, hub, deliveries, drive, apiServer, pageServer, open } = assemble(
    options,
    AbortSignal.any([options.signal, stopping.signal]),
  );
  let stopped: Promise<unknown> | undefined;
  const stop = async (): Promise<void> => {
    stopping.abort(new Error('the Slack playground was stopped'));
    hub.stop();
    stopped ??= Promise.all([unlisten(apiServer), unlisten(pageServer)]);
    await stopped;
  };
  const pagePort = await open().catch(async (error: unknown) => {
    await stop();
    throw error;
  });
  options.signal.addEventListener('abort', () => void stop(), { once: true });
  return {
    url: `http://127.0.0.1:${pagePort}/`,
    apiUrl: `${core.apiOrigin()}/api/`,
    signingSecret: options.app.signingSecret,
    botToken: options.app.botToken,
    appToken: options.app.appToken,
    drive,
    faults: core.faults,
    log: core.log,
    setRequestUrl: (url) => deliveries.setRequestUrl(url),
    verifyRequestUrl: () => verify(deliveries),
    connections: () => hub.connections,
    disconnectSockets: (reason) => (reason === 'cut' ? hub.cut() : hub.disconnect(reason)),
    stop,
  };
}
