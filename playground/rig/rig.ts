import { randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Client, Connection } from '@temporalio/client';
import { dataConverterOf } from '../../src/temporal/connection.ts';
import type { Cilium } from '../cilium/cilium.ts';
import { type ReportProgress, step } from '../cluster/progress.ts';
import { type Stack, startStack } from '../cluster/stack.ts';
import type { Child } from '../cluster/warden.ts';
import { CONTROL_ADDRESS } from '../real/addresses.ts';
import type { Limits } from '../slack/limits.ts';
import type { Inherited } from '../slack/listen.ts';
import { type SlackPlayground, startSlack } from '../slack/slack.ts';
import { type ConfigOptions, type Pace, writeConfig } from './config.ts';
import { type RealMesh, startMesh } from './mesh.ts';
import { meshPanel } from './panel.ts';
import { type Role, startProduct } from './product.ts';
import { kubeconfigOf, reloaded, reloads } from './product-files.ts';
import { loadRights } from './rights.ts';

/** What a story may want otherwise in the product's configuration. */
export interface Tuning {
  readonly gateExpiry?: string;
  /** Requests that the product takes from one person in a minute; its own number when left out. */
  readonly requestsPerMinute?: number;
  /** How long the traffic is watched after harm was put back; default: as the pace says. */
  readonly restoredWatch?: string;
  /** A further gate before the first stage above this share (`5%`); default: none. */
  readonly secondGate?: string;
  /** Further settings of meshops.yaml, by their key. */
  readonly settings?: Readonly<Record<string, unknown>>;
  /** How the product reads flows; default: straight from the agents. */
  readonly sight?: 'agents' | 'relay';
}

export interface RigOptions extends Tuning {
  readonly signal: AbortSignal;
  readonly progress: ReportProgress;
  /** Delays of the simulated Cilium. */
  readonly preset: 'ideal' | 'cluster';
  readonly seed: number;
  readonly pace: Pace;
  readonly requestsPerSecond?: number;
  readonly pagePort?: number | Inherited;
  /** One process for all, or bot and worker apart (so that a worker can be killed). */
  readonly split: boolean;
  /** Starts without a worker when false and `split`. */
  readonly worker?: boolean;
  readonly slackLimits?: Partial<Limits>;
  /** Writes the product's configuration in another way, such as by the chart; what it gives is environment for the product. */
  readonly writeConfig?: (file: string, options: ConfigOptions, around: Around) => Promise<Readonly<Record<string, string>> | undefined>;
  /** Slack gives requests through a socket that the product opens, instead of sending them over HTTP. */
  readonly socketMode?: boolean;
  /** False: the rights and the admission of manifests/base are not loaded, because somebody installs them otherwise. */
  readonly rights?: boolean;
  /** Real Cilium nodes instead of the simulated ones: only inside a world of their own. */
  readonly real?: RealMesh;
}

/** What is there when the product is about to start. */
export interface Around {
  readonly stack: Stack;
  readonly cilium: Cilium;
  readonly slackApp: Rig['slackApp'];
}

/** Everything of the playground, running: the real stack, Cilium (simulated or real), Slack, and the product in processes of its own. */
export interface Rig {
  readonly stack: Stack;
  readonly cilium: Cilium;
  readonly slack: SlackPlayground;
  readonly temporal: Client;
  readonly database: string;
  /** Secrets of the app that the product is in this Slack. */
  readonly slackApp: { readonly botToken: string; readonly appToken: string; readonly signingSecret: string };
  /** Where the bot listens. */
  readonly url: string;
  /** The bot (or the only process). */
  readonly bot: Child;
  /** Workers, oldest first; the last is the one that runs now. */
  readonly workers: readonly Child[];
  /** Addresses of servers for this worker alone, such as lines that can be cut. `kubernetes`: host and port. */
  startWorker(options?: { readonly temporal?: string; readonly kubernetes?: string }): Promise<Child>;
  /** Gives the bot another configuration, which it reads by itself, and the worker where it matters to it. All that is left out is as usual. */
  tune(tuning: Tuning): Promise<void>;
  stop(): Promise<void>;
}

export const COMMANDS = [
  {
    command: '/mesh',
    description: 'Change the mesh in stages, with approval and automatic rollback',
    usage: 'canary backend 10%',
    shouldEscape: true,
  },
  { command: '/policy', description: 'Network policies by cohorts', usage: 'enforce frontend', shouldEscape: true },
  { command: '/encryption', description: 'Transparent encryption node by node', usage: 'on wireguard', shouldEscape: true },
] as const;

const secret = (): string => randomBytes(24).toString('hex');

/** Starts it all; rejects with one sentence and leaves nothing running. */
export async function startRig(options: RigOptions): Promise<Rig> {
  const { signal, progress } = options;
  const stack = await startStack({ signal, progress, ...(options.real && { kubeAddress: CONTROL_ADDRESS }) });
  const undo: (() => Promise<void>)[] = [() => stack.stop()];
  const stop = async (): Promise<void> => {
    for (const end of undo.splice(0).toReversed()) await end();
  };
  try {
    return await furnish(stack, options, undo, stop);
  } catch (error) {
    await stop();
    throw error;
  }
}

async function furnish(stack: Stack, options: RigOptions, undo: (() => Promise<void>)[], stop: () => Promise<void>): Promise<Rig> {
  const { signal, progress, pace } = options;
  await loadRights(stack.kube.api, signal, options.rights ?? true);
  const cilium = await startMesh(stack, options);
  undo.push(() => cilium.stop());
  let slack: SlackPlayground | undefined;
  const panel = meshPanel(cilium, {
    stack,
    slack: () => slack as SlackPlayground,
    replaceWorker: async () => {
      const last = workers.at(-1);
      if (!last) throw new Error('Bot and worker are one process here, so the worker cannot be killed alone.');
      last.kill('SIGKILL');
      await startWorker();
    },
  });
  undo.push(async () => panel.stop());
  const app = {
    signingSecret: secret(),
    botToken: `xoxb-${secret()}`,
    appToken: `xapp-${secret()}`,
    slashCommands: COMMANDS,
    socketMode: options.socketMode ?? false,
  };
  slack = await startSlack({
    signal,
    app,
    panel,
    ...(options.pagePort !== undefined && { port: options.pagePort }),
    ...(options.slackLimits && { limits: options.slackLimits }),
  });
  undo.push(() => slack.stop());
  const connection = await Connection.connect({ address: stack.temporal.address });
  undo.push(() => connection.close());
  const temporal = new Client({ connection, namespace: stack.temporal.namespace, dataConverter: dataConverterOf(undefined) });

  const database = join(stack.dir, 'meshops.db');
  const env = { SLACK_BOT_TOKEN: app.botToken, SLACK_SIGNING_SECRET: app.signingSecret };
  let started = 0;
  const { gateExpiry, requestsPerMinute, restoredWatch, secondGate, sight: usualSight } = options;
  const usual: Tuning = {
    ...(gateExpiry && { gateExpiry }),
    ...(requestsPerMinute && { requestsPerMinute }),
    ...(restoredWatch && { restoredWatch }),
    ...(secondGate && { secondGate }),
    ...(usualSight && { sight: usualSight }),
  };
  let tuned = usual;
  const configure = async (file: string, { httpPort, metricsPort }: Ports, apart: Apart) => {
    const agents = cilium.nodes.map(({ name: node, hubbleAddress }) => ({ node, address: hubbleAddress }));
    const { sight, ...times } = tuned;
    const settings: ConfigOptions = {
      kubeconfig: await kubeconfigOf(stack, `${file}.kubeconfig`, apart.kubernetes),
      hubble: { ...(sight === 'relay' ? { relay: cilium.relay.address } : { agents }), tls: cilium.hubbleTls },
      gatewayUrl: cilium.gateway.url,
      prometheus: stack.prometheus.url,
      temporal: { address: apart.temporal ?? stack.temporal.address, namespace: stack.temporal.namespace },
      slackApi: slack.apiUrl,
      database,
      httpPort,
      metricsPort,
      pace,
      ...times,
    };
    return (options.writeConfig ?? writeConfig)(file, settings, { stack, cilium, slackApp: app });
  };
  const start = async (role: Role, apart: Apart = {}): Promise<{ child: Child; ports: Ports; configFile: string }> => {
    const ports = { httpPort: await stack.ports.take(role), metricsPort: await stack.ports.take(`${role} metrics`) };
    const name = `meshops-${role}-${++started}`;
    const configFile = join(stack.dir, `${name}.yaml`);
    const more = (await configure(configFile, ports, apart)) ?? {};
    const child = await startProduct(role, {
      warden: stack.warden,
      dir: stack.dir,
      configFile,
      env: { ...env, ...more },
      port: ports.httpPort,
      name,
      signal,
    });
    stack.prometheus.scrape(name, [`127.0.0.1:${ports.metricsPort}`]);
    return { child, ports, configFile };
  };
  const workers: Child[] = [];
  const startWorker: Rig['startWorker'] = async (apart) => {
    const { child } = await start('worker', apart);
    workers.push(child);
    return child;
  };
  const {
    child: bot,
    ports,
    configFile,
  } = await step(progress, 'meshops', async () => {
    const [first] = await Promise.all([
      start(options.split ? 'bot' : 'run'),
      options.split && options.worker !== false ? startWorker() : undefined,
    ]);
    return { value: first, detail: 'ready' };
  });
  slack.setRequestUrl(`http://127.0.0.1:${ports.httpPort}/slack/events`);
  const tune: Rig['tune'] = async (tuning) => {
    const { sight, settings } = tuned;
    tuned = { ...usual, ...tuning };
    const before = await readFile(configFile, 'utf8');
    const log = join(stack.dir, `${bot.name}.log`);
    // Counted before the file is written: the bot may be quicker than we are.
    const times = await reloads(log);
    await configure(configFile, ports, {});
    if ((await readFile(configFile, 'utf8')) !== before) await reloaded(log, times, signal);
    // A worker reads its own file: it is started anew with what concerns it.
    if (tuned.sight === sight && JSON.stringify(tuned.settings) === JSON.stringify(settings)) return;
    await workers.at(-1)?.stop();
    await startWorker();
  };
  const url = `http://127.0.0.1:${ports.httpPort}`;
  return { stack, cilium, slack, slackApp: app, temporal, database, url, bot, workers, startWorker, tune, stop };
}

interface Ports {
  readonly httpPort: number;
  readonly metricsPort: number;
}

type Apart = NonNullable<Parameters<Rig['startWorker']>[0]>;
