import { spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { CustomObjectsApi, KubeConfig, VersionApi } from '@kubernetes/client-node';
import { Connection } from '@temporalio/client';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { readRecord } from '../../../playground/cluster/leftovers.ts';
import { isFree } from '../../../playground/cluster/ports.ts';
import { isAlive, processorSeconds } from '../../../playground/cluster/processes.ts';
import { type Progress, progressText } from '../../../playground/cluster/progress.ts';
import { type Stack, startStack } from '../../../playground/cluster/stack.ts';
import type { KubeUser } from '../../../playground/cluster/users.ts';
import { until } from '../../../playground/cluster/waiting.ts';
import { never } from './scratch.ts';

let stack: Stack;

beforeAll(async () => {
  stack = await startStack({ signal: never, progress: () => undefined });
});
afterAll(async () => {
  await stack.stop();
});

function kubeAs(user: KubeUser): KubeConfig {
  const config = new KubeConfig();
  config.loadFromFile(stack.kube.kubeconfig(user));
  return config;
}

const policies = { group: 'cilium.io', version: 'v2', namespace: 'default', plural: 'ciliumnetworkpolicies' };

async function prometheusValue(query: string): Promise<string | undefined> {
  const answer = await fetch(`${stack.prometheus.url}/api/v1/query?query=${encodeURIComponent(query)}`);
  const body = (await answer.json()) as { data: { result: { value: [number, string] }[] } };
  return body.data.result[0]?.value[1];
}

test('the API server says its version through a written kubeconfig, verified by its own certificate', async () => {
  const version = await kubeAs('admin').makeApiClient(VersionApi).getCode();
  expect(version).toMatchObject({ major: '1', gitVersion: expect.stringMatching(/^v1\.\d+\.\d+/) });
});

test("Cilium's own CRD accepts a policy and, asked strictly, refuses one with an unknown field", async () => {
  const api = kubeAs('simulator').makeApiClient(CustomObjectsApi);
  const policy = (name: string, http: object) => ({
    apiVersion: 'cilium.io/v2',
    kind: 'CiliumNetworkPolicy',
    metadata: { name },
    spec: {
      endpointSelector: { matchLabels: { app: 'backend' } },
      ingress: [{ toPorts: [{ ports: [{ port: '8080', protocol: 'TCP' }], rules: { http: [http] } }] }],
    },
  });
  const strict = { ...policies, fieldValidation: 'Strict' };
  await api.createNamespacedCustomObject({ ...strict, body: policy('fine', { method: 'GET' }) });
  await expect(api.createNamespacedCustomObject({ ...strict, body: policy('wrong', { action: 'DENY' }) })).rejects.toThrow(/unknown field/);
});

test('RBAC is on: the bot may do nothing before a role is bound to it', async () => {
  const api = kubeAs('meshops').makeApiClient(CustomObjectsApi);
  await expect(api.listNamespacedCustomObject(policies)).rejects.toThrow(/system:serviceaccount:meshops:meshops.*cannot list/s);
});

test('Temporal serves on its address, keeps its data over a restart, and has a page', async () => {
  const { address, namespace, uiUrl } = stack.temporal;
  const describe = async (): Promise<string | null | undefined> => {
    const connection = await Connection.connect({ address });
    try {
      return (await connection.workflowService.describeNamespace({ namespace })).namespaceInfo?.id;
    } finally {
      await connection.close();
    }
  };
  const before = await describe();
  await stack.temporal.stop();
  expect(await isFree(Number(address.split(':')[1]))).toBe(true);
  await stack.temporal.start(never);
  expect(await describe()).toBe(before);
  expect((await fetch(uiUrl)).status).toBe(200);
});

test('Prometheus scrapes what it is told to, under the job it is told', async () => {
  stack.prometheus.scrape('itself', [new URL(stack.prometheus.url).host]);
  const up = async (): Promise<boolean> => (await prometheusValue('up{job="itself"}')) === '1';
  await until(up, { what: 'The job', withinMs: 15_000, everyMs: 200, signal: never });
});

test('the API server can be paused and goes on', async () => {
  const version = () => kubeAs('admin').makeApiClient(VersionApi).getCode();
  stack.kube.apiserver.pause();
  const answer = version();
  const first = await Promise.race([answer.then(() => 'answered'), new Promise((resolve) => setTimeout(() => resolve('silence'), 500))]);
  stack.kube.apiserver.resume();
  expect(first).toBe('silence');
  expect(await answer).toMatchObject({ major: '1' });
});

test("the binaries beside the stack run, and Cilium's protos are there", () => {
  expect(existsSync(stack.binaries.envoy)).toBe(true);
  expect(readFileSync(join(stack.binaries.ciliumProtos, 'observer/observer.proto'), 'utf8')).toContain('rpc GetFlows');
  expect(existsSync(join(stack.binaries.ciliumProtos, 'flow/flow.proto'))).toBe(true);
});

/** Runs the developers' command and gives what it printed until it was up. */
async function runMain() {
  const program = fileURLToPath(new URL('../../../playground/cluster/main.ts', import.meta.url));
  const child = spawn(process.execPath, [program], { stdio: ['ignore', 'pipe', 'inherit'], detached: true });
  const lines: string[] = [];
  for await (const line of createInterface({ input: child.stdout })) {
    lines.push(line);
    if (line.startsWith('Ctrl-C')) break;
  }
  const text = lines.join('\n');
  const dir = /^Folder +(.+)$/m.exec(text)?.[1] ?? '';
  const ports = [...new Set([...text.matchAll(/127\.0\.0\.1:(\d+)/g)].map((match) => Number(match[1])))];
  const record = readRecord(dir);
  if (record === undefined) throw new Error(`no record in ${dir}`);
  return { child, dir, ports, processes: [...record.children, record.warden] };
}

test.each(['SIGINT', 'SIGKILL'] as const)('after %s no process of the stack and no port is left', async (signal) => {
  const { child, dir, ports, processes } = await runMain();
  expect(processes.filter(isAlive)).toHaveLength(5);
  const ended = new Promise((resolve) => child.once('exit', resolve));
  child.kill(signal);
  await ended;
  await until(async () => !processes.some(isAlive), { what: 'The end', withinMs: 10_000, everyMs: 50, signal: never });
  expect(await Promise.all(ports.map(isFree))).not.toContain(false);
  if (signal === 'SIGINT') expect(existsSync(dir)).toBe(false);
});

test('an aborted start leaves nothing, and says why', async () => {
  const abort = new AbortController();
  const steps: string[] = [];
  const start = startStack({
    signal: abort.signal,
    progress: (line) => {
      steps.push(line.step);
      if (line.step === 'etcd and kube-apiserver') abort.abort(new Error('Ctrl-C'));
    },
  });
  await expect(start).rejects.toThrow('Ctrl-C');
  expect(steps).toContain('etcd and kube-apiserver');
});

test('a port that is taken is named, with what to do', async () => {
  const taken = Number(new URL(stack.prometheus.url).port);
  const start = startStack({ signal: never, progress: () => undefined, prometheus: { port: taken } });
  await expect(start).rejects.toMatchObject({
    type: 'port-taken',
    message: expect.stringContaining(`Port ${taken} for Prometheus is in use`),
  });
});

/** Of all that a start does, on two cores or on one, quiet or not: what it takes of a processor is its own doing, what it waits for one is not. */
const MOST_PROCESSOR_SECONDS = 15;

test('stop() leaves no process; a second start makes and fetches nothing, and takes less than 15 s of the processor', async () => {
  const done: Progress[] = [];
  const begun = Date.now();
  const own = process.cpuUsage();
  const second = await startStack({ signal: never, progress: (line) => void (line.kind === 'done' && done.push(line)) });
  const { user, system } = process.cpuUsage(own);
  const record = readRecord(second.dir);
  const programs = (record?.children ?? []).map(({ pid }) => processorSeconds(pid));
  const used = programs.reduce((sum, each) => sum + each, (user + system) / 1e6);
  const steps = done.map((line) => progressText(line)).join('; ');
  process.stdout.write(`second start: ${Date.now() - begun} ms, ${used.toFixed(1)} s of the processor: ${steps}\n`);
  const made = done.filter(({ detail }) => /built|installed|unpacked/.test(detail));
  expect(made).toEqual([]);
  expect(programs).toHaveLength(4);
  expect(used).toBeLessThan(MOST_PROCESSOR_SECONDS);
  await second.stop();
  expect(record?.children.some(isAlive)).toBe(false);
  expect(existsSync(second.dir)).toBe(false);
});
