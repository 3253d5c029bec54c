/** The gateway's real Envoy: started once, configured through files, never restarted by a route. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { bootstrap } from './bootstrap.ts';

/** What a process started beneath the stack's warden can do here. */
export interface Started {
  readonly pid: number;
  stop(): Promise<unknown>;
}

export interface Starter {
  start(order: {
    readonly name: string;
    readonly command: string;
    readonly args: readonly string[];
    readonly logFile: string;
    readonly ready: (signal: AbortSignal) => Promise<boolean>;
    readonly readyWithinMs: number;
    readonly signal?: AbortSignal;
  }): Promise<Started>;
}

export interface Envoy {
  readonly adminPort: number;
  /** Version of a route configuration that Envoy has in force; undefined when it has none. */
  routesVersion(listener: string, routes: string): Promise<string | undefined>;
  /** Waits until Envoy has the version in force; resolves to the Unix time (ms) at which that was seen, undefined after a second. */
  inForce(listener: string, routes: string, version: number): Promise<number | undefined>;
  /** Waits (at most a second) until no new cluster is still fetching its endpoints. */
  warm(): Promise<void>;
  stop(): Promise<void>;
}

export interface EnvoyOptions {
  readonly warden: Starter;
  readonly binary: string;
  readonly folder: string;
  readonly adminPort: number;
  readonly accessLogPort: number;
  /** Where the admin interface and the access-log server listen; default loopback. */
  readonly address?: string;
  readonly accessLogAddress?: string;
  /** A command before Envoy's own: how it gets into other namespaces. */
  readonly within?: readonly string[];
  readonly now: () => number;
  readonly signal: AbortSignal;
}

function admin(host: string, port: number, path: string, signal: AbortSignal): Promise<string> {
  return new Promise((resolve, reject) => {
    const outgoing = request({ host, port, path, agent: false, signal, timeout: 1_000 }, (response) => {
      let body = '';
      response.setEncoding('utf8');
      response.on('data', (chunk: string) => {
        body += chunk;
      });
      response.on('end', () => resolve(body));
      response.on('error', reject);
    });
    outgoing.on('timeout', () => outgoing.destroy(new Error("Envoy's admin port did not answer within 1 s")));
    outgoing.on('error', reject);
    outgoing.end();
  });
}

const patienceMs = 1_000;
const stepMs = 3;

/** Starts Envoy; its listeners must already be in the folder. */
export async function startEnvoy(options: EnvoyOptions): Promise<Envoy> {
  const { adminPort, folder, signal, now, address = '127.0.0.1' } = options;
  mkdirSync(folder, { recursive: true });
  const file = join(folder, 'bootstrap.json');
  writeFileSync(file, JSON.stringify(bootstrap(options)));
  const { within = [], binary } = options;
  const [command = binary] = within;
  const args = within.length === 0 ? [] : [...within.slice(1), binary];
  const child = await options.warden.start({
    name: 'envoy',
    command,
    args: [...args, '-c', file, '--concurrency', '1', '--disable-hot-restart', '--log-level', 'warning'],
    logFile: join(folder, 'envoy.log'),
    ready: (either) =>
      admin(address, adminPort, '/ready', either).then(
        (body) => body.startsWith('LIVE'),
        () => false,
      ),
    readyWithinMs: 30_000,
    signal,
  });

  const routesVersion = async (listener: string, routes: string): Promise<string | undefined> => {
    const prefix = `http.${listener}.rds.${routes}.version_text`;
    const body = await admin(address, adminPort, `/stats?type=TextReadouts&filter=${encodeURIComponent('rds')}`, signal);
    const line = body.split('\n').find((each) => each.startsWith(`${prefix}:`));
    return line
      ?.slice(prefix.length + 1)
      .trim()
      .replaceAll('"', '');
  };

  return {
    adminPort,
    routesVersion,
    inForce: async (listener, routes, version) => {
      const deadline = now() + patienceMs;
      while (!signal.aborted) {
        // A later version may already have overtaken it.
        if (Number(await routesVersion(listener, routes)) >= version) return now();
        if (now() > deadline) return undefined;
        await wait(stepMs, undefined, { signal });
      }
      return undefined;
    },
    warm: async () => {
      const deadline = now() + patienceMs;
      while (!signal.aborted && now() < deadline) {
        const body = await admin(address, adminPort, '/stats?filter=cluster_manager.warming_clusters', signal);
        if (/: 0\b/.test(body)) return;
        await wait(stepMs, undefined, { signal });
      }
    },
    stop: async () => void (await child.stop()),
  };
}
