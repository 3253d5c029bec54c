import { readFile } from 'node:fs/promises';
import type { Config } from '../domain/config/schema.ts';
import type { Log } from '../log.ts';
import { type ConfigError, formatConfigError, readConfigFile } from './read.ts';

/** The configuration that holds now. A new version of the file is taken over without a restart; a bad one is refused and the old one stays. */
export interface ConfigSource {
  current(): Config;
  /** Reads the file again now. False: it is wrong, and the old configuration stays. */
  reload(): Promise<boolean>;
  /** True while the newest version of the file is one that was refused. */
  isStale(): boolean;
}

/** The file is wrong at the start: there is nothing older to fall back to. */
export class ConfigRefused extends Error {
  override readonly name = 'ConfigRefused' as const;
  readonly errors: readonly ConfigError[];
  constructor(path: string, errors: readonly ConfigError[]) {
    super(errors.map((error) => formatConfigError(path, error)).join('\n'));
    this.errors = errors;
  }
}

export interface ConfigSourceOptions {
  readonly path: string;
  readonly log: Log;
  readonly signal: AbortSignal;
  /** How often the file is looked at. A ConfigMap is swapped by a symbolic link, which event-based watching misses. Milliseconds. */
  readonly everyMs?: number;
}

/** Reads the file and follows its changes until the signal aborts. */
export async function openConfig(options: ConfigSourceOptions): Promise<ConfigSource> {
  const { path, log, signal } = options;
  const first = await readConfigFile(path);
  if (!first.ok) throw new ConfigRefused(path, first.errors);
  let { config: current, text } = first;
  let stale = false;
  const reload = async (): Promise<boolean> => {
    const next = await readConfigFile(path);
    text = next.text;
    stale = !next.ok;
    if (next.ok) {
      current = next.config;
      log.info({ path }, 'the new configuration is in force; what concerns connections needs a restart');
    } else {
      const errors = next.errors.map((error) => formatConfigError(path, error));
      log.error({ path, errors }, 'the new configuration is wrong; the old one stays in force');
    }
    return next.ok;
  };
  // The text is compared, not its times: two versions within a clock tick are two versions, and one written while we start is not missed.
  const look = async (): Promise<void> => {
    if ((await readFile(path, 'utf8')) !== text) await reload();
  };
  const timer = setInterval(() => {
    look().catch((error: unknown) => log.error({ err: error }, 'the configuration could not be read again'));
  }, options.everyMs ?? 2_000);
  timer.unref();
  signal.addEventListener('abort', () => clearInterval(timer), { once: true });
  return { current: () => current, reload, isStale: () => stale };
}
