import { mkdirSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Component, startComponent } from './component.ts';
import { flags } from './flags.ts';
import type { Ground } from './kube.ts';

/** A Prometheus that scrapes what it is told to. */
export type Prometheus = Component & {
  readonly url: string;
  /** Replaces a job's targets (`host:port`); in force within a second. An empty list ends the job. */
  scrape(job: string, targets: readonly string[], options?: { readonly metricsPath?: string }): void;
};

export type PrometheusOptions = {
  readonly port?: number;
  /** Between scrapes, in seconds; default 1. */
  readonly intervalSeconds?: number;
  readonly ruleFiles?: readonly string[];
};

const READY_WITHIN_MS = 60_000;

function configText(targets: string, options: PrometheusOptions): string {
  const interval = `${options.intervalSeconds ?? 1}s`;
  // JSON is YAML. One scrape configuration for all: the targets' own labels name their job and path.
  return JSON.stringify({
    global: { scrape_interval: interval, scrape_timeout: interval, evaluation_interval: interval },
    rule_files: options.ruleFiles ?? [],
    scrape_configs: [{ job_name: 'playground', file_sd_configs: [{ files: [join(targets, '*.json')], refresh_interval: '1s' }] }],
  });
}

/** Starts Prometheus and waits until it is ready. */
export async function startPrometheus(ground: Ground, options: PrometheusOptions = {}): Promise<Prometheus> {
  const port = await ground.ports.take('Prometheus', options.port);
  const url = `http://127.0.0.1:${port}`;
  const dir = join(ground.dir, 'prometheus');
  const targetsDir = join(dir, 'targets');
  mkdirSync(targetsDir, { recursive: true });
  const configFile = join(dir, 'prometheus.yml');
  writeFileSync(configFile, configText(targetsDir, options));
  const component = await startComponent(
    ground.warden,
    {
      name: 'prometheus',
      command: ground.binaries.prometheus,
      args: flags({
        'config.file': configFile,
        'storage.tsdb.path': join(dir, 'data'),
        'storage.tsdb.retention.time': '6h',
        'web.listen-address': `127.0.0.1:${port}`,
        'log.level': 'warn',
      }),
      logFile: join(ground.dir, 'prometheus.log'),
      readyWithinMs: READY_WITHIN_MS,
      ready: async (signal) => {
        const answer = await fetch(`${url}/-/ready`, { signal }).catch(() => undefined);
        return answer?.ok === true;
      },
    },
    ground.signal,
  );
  const scrape: Prometheus['scrape'] = (job, targets, { metricsPath = '/metrics' } = {}) => {
    const file = join(targetsDir, `${encodeURIComponent(job)}.json`);
    // Written beside and renamed: Prometheus must never read half a list.
    writeFileSync(`${file}.new`, JSON.stringify([{ targets, labels: { job, __metrics_path__: metricsPath } }]));
    renameSync(`${file}.new`, file);
  };
  return { ...component, url, scrape };
}
