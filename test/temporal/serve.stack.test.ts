// The whole process as it is started in a container: real Temporal, real API server, strict Slack; up, used, and down by a signal.
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Stack, startStack } from '../../playground/cluster/stack.ts';
import { until } from '../../playground/cluster/waiting.ts';
import { type SlackPlayground, startSlack } from '../../playground/slack/slack.ts';

const MAIN = fileURLToPath(new URL('../../src/main.ts', import.meta.url));
const ending = new AbortController();
let stack: Stack;
let slack: SlackPlayground;
let folder: string;
let port: number;
let metricsPort: number;
const children = new Set<ChildProcess>();

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'meshops-serve-'));
  stack = await startStack({ signal: ending.signal, progress: () => undefined });
  const app = { signingSecret: 'playground-signing-secret', botToken: 'xoxb-playground' };
  slack = await startSlack({ signal: ending.signal, app: { ...app, slashCommands: [{ command: '/mesh', description: '', usage: '' }] } });
  port = await stack.ports.take('meshops');
  metricsPort = await stack.ports.take('metrics');
  slack.setRequestUrl(`http://127.0.0.1:${port}/slack/events`);
  writeFileSync(config(), configText());
});
afterAll(async () => {
  for (const child of children) child.kill('SIGKILL');
  await slack.stop();
  await stack.stop();
  rmSync(folder, { recursive: true });
});

const config = (): string => join(folder, 'meshops.yaml');
function configText(): string {
  return `
clusters:
  demo:
    kubernetes: { kubeconfig: ${stack.kube.kubeconfig('admin')} }
    hubble: { relay: "127.0.0.1:1" }
    prometheus: ${stack.prometheus.url}
channels: [{ id: C0MESH, cluster: demo, namespace: backend }]
identities: { rules: [{ email: "*@example.com", groups: [mesh-operators] }] }
gates: [{ approvers: { usergroups: [S0REVIEWERS] } }]
slack: { mode: http, teamIds: [T0MESHOPS] }
temporal: { address: "${stack.temporal.address}", namespace: ${stack.temporal.namespace} }
audit: { database: ${join(folder, 'audit.db')} }
http: { port: ${port}, metricsPort: ${metricsPort} }
`;
}

interface Ended {
  readonly code: number | null;
  readonly out: string;
}
function meshops(...args: readonly string[]): { readonly child: ChildProcess; readonly ended: Promise<Ended> } {
  const env = {
    PATH: process.env['PATH'],
    SLACK_BOT_TOKEN: slack.botToken,
    SLACK_SIGNING_SECRET: slack.signingSecret,
    SLACK_API_URL: slack.apiUrl,
    MESHOPS_PAYLOAD_KEY: `test:${Buffer.alloc(32, 7).toString('base64')}`,
  };
  const child = spawn(process.execPath, [MAIN, ...args], { env, stdio: ['ignore', 'pipe', 'pipe'] });
  children.add(child);
  let out = '';
  for (const stream of [child.stdout, child.stderr]) stream?.on('data', (chunk: Buffer) => (out += chunk.toString()));
  const ended = new Promise<Ended>((resolve) => child.once('close', (code) => (children.delete(child), resolve({ code, out }))));
  return { child, ended };
}
async function get(path: string, at = port): Promise<{ status: number; text: string }> {
  const answer = await fetch(`http://127.0.0.1:${at}${path}`);
  return { status: answer.status, text: await answer.text() };
}
function ready(): Promise<void> {
  const isReady = async (): Promise<boolean> => (await get('/readyz').catch(() => undefined))?.status === 200;
  return until(isReady, { what: 'meshops', withinMs: 30_000, everyMs: 100, signal: ending.signal });
}

test('doctor says what is there and what is missing', async () => {
  const { code, out } = await meshops('doctor', '-c', config()).ended;
  expect(code).toBe(1);
  for (const line of [
    '✓ Slack token',
    '✓ Slack usergroup S0REVIEWERS: 2',
    '✓ Temporal',
    '✓ demo: Kubernetes: v1.',
    '✓ demo: httproutes',
    '✓ demo: Prometheus',
  ])
    expect(out).toContain(line);
  expect(out).toContain('✗ demo: Hubble');
  expect(out).not.toContain(slack.botToken);
});

test('run: ready, takes a command, tells its metrics, and stops in order on a signal', async () => {
  const { child, ended } = meshops('run', '-c', config());
  await ready();
  const status = await slack.drive.as('U0OPERATOR').command('C0MESH', '/mesh status');
  expect(status.shown?.text).toBe('No operation runs.');
  const asked = await slack.drive.as('U0OPERATOR').command('C0MESH', '/mesh canary backend 10%');
  // No route is there: the person alone is told, and the channel sees nothing of it.
  expect(asked.shown?.text).toContain('No HTTPRoute in namespace backend');
  expect(asked.ackMs).toBeLessThan(2_600);
  expect(slack.drive.messages('C0MESH').filter((message) => message.text.includes('Nothing was changed'))).toEqual([]);
  const { text } = await get('/metrics', metricsPort);
  expect((await get('/metrics')).status).toBe(404);
  expect(text).toContain('meshops_ack_seconds_count{what="command"} 2');
  expect((await get('/healthz')).status).toBe(200);
  child.kill('SIGTERM');
  const { code, out } = await ended;
  expect(code).toBe(0);
  const lines = out
    .split('\n')
    .filter((line) => line.startsWith('{'))
    .map((line) => (JSON.parse(line) as { msg: string }).msg);
  expect(lines).toContain('meshops ready');
  expect(lines.at(-1)).toBe('stopped');
  expect(out).not.toContain(slack.botToken);
});

test('audit verify reads what was recorded', async () => {
  const { code, out } = await meshops('audit', 'verify', '-c', config()).ended;
  expect(out).toMatch(/✓ \d+ records/);
  expect(code).toBe(0);
});

test('a wrong file is refused with its lines', async () => {
  const wrong = join(folder, 'wrong.yaml');
  writeFileSync(wrong, configText().replace('cluster: demo', 'cluster: prod'));
  const { code, out } = await meshops('config', 'check', wrong).ended;
  expect(code).toBe(1);
  expect(out).toMatch(/wrong\.yaml:7:\d+ channels\.0\.cluster/);
});
