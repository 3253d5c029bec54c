import { createServer } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { openPorts } from '../../../playground/cluster/ports.ts';
import { type Progress, progressPrinter, progressText, step } from '../../../playground/cluster/progress.ts';
import { kubeconfigText, makeTokens, tokenFile } from '../../../playground/cluster/users.ts';

function listen(): Promise<number> {
  return new Promise((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const address = server.address();
      resolve(typeof address === 'object' && address !== null ? address.port : 0);
    });
    onTestFinished(() => void server.close());
  });
}

test('a wanted port that another program holds is refused by name', async () => {
  const port = await listen();
  const take = openPorts(Math.random).take('Temporal', port);
  await expect(take).rejects.toMatchObject({ type: 'port-taken', message: expect.stringContaining(`Port ${port} for Temporal is in use`) });
});

test('no port is given twice, even when chance repeats itself', async () => {
  const chances = [0.5, 0.5, 0.5001];
  const ports = openPorts(() => chances.shift() ?? Math.random());
  expect(await ports.take('one')).not.toBe(await ports.take('two'));
});

const line = (kind: Progress['kind'], ms: number, detail = ''): Progress => ({ kind, step: 'kube-apiserver 1.36.3', detail, ms });

test('a finished step says what was done and how long it took', () => {
  expect(progressText(line('done', 215_400, 'built'))).toBe('✓ kube-apiserver 1.36.3 built (215 s)');
  expect(progressText(line('done', 40, 'from the cache'))).toBe('✓ kube-apiserver 1.36.3 from the cache (0.0 s)');
});

test('a log gets one line for each 15 s of a long step, a terminal sees each second in place', () => {
  const printed = (isTTY: boolean): string[] => {
    const out: string[] = [];
    const print = progressPrinter({ isTTY, write: (text: string) => out.push(text) });
    print(line('begun', 0));
    for (let second = 1; second <= 31; second++) print(line('tick', second * 1000));
    print(line('done', 31_500, 'built'));
    return out;
  };
  expect(printed(false)).toEqual([
    '… kube-apiserver 1.36.3 (15 s)\n',
    '… kube-apiserver 1.36.3 (30 s)\n',
    '✓ kube-apiserver 1.36.3 built (32 s)\n',
  ]);
  expect(printed(true)).toHaveLength(32);
});

test('a step that fails is reported and its error goes on', async () => {
  const lines: Progress[] = [];
  const failing = step(
    (reported) => lines.push(reported),
    'etcd',
    () => Promise.reject(new Error('no disk')),
  );
  await expect(failing).rejects.toThrow('no disk');
  expect(lines.map(progressText)).toEqual(['… etcd', '✗ etcd: no disk']);
});

test("the API server's token file names the bot with its groups, and tokens are never the same twice", () => {
  const tokens = makeTokens();
  const row = tokenFile(tokens).split('\n')[2];
  expect(row).toBe(
    `${tokens.meshops},system:serviceaccount:meshops:meshops,meshops,"system:serviceaccounts,system:serviceaccounts:meshops"`,
  );
  expect(new Set([...Object.values(tokens), ...Object.values(makeTokens())]).size).toBe(12);
});

test('a kubeconfig holds one context with the certificate and the token', () => {
  const config: unknown = JSON.parse(kubeconfigText({ url: 'https://127.0.0.1:1', caFile: '/ca', user: 'admin', token: 't' }));
  expect(config).toMatchObject({
    'current-context': 'playground',
    clusters: [{ cluster: { server: 'https://127.0.0.1:1', 'certificate-authority': '/ca' } }],
    users: [{ user: { token: 't' } }],
  });
});
