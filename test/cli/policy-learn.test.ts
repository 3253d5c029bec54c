// What is proposed from recordings of kinds that were found in the field.
import { Readable } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { EXIT } from '../../src/cli/outcomes.ts';
import { policyLearn } from '../../src/cli/policy-learn.ts';
import { lintText } from '../../src/documents/lint.ts';
import { BACKEND, DATABASE, FRONTEND, line, pod, type Told, WORLD } from '../domain/policy/dryrun/lines.ts';

const at = (name: string): string => new URL(`../cases/policy/learn/${name}.jsonl`, import.meta.url).pathname;

interface Proposal {
  readonly spec: {
    readonly ingress?: readonly Record<string, unknown>[];
    readonly egress?: readonly Record<string, unknown>[];
  };
}

async function learn(flows: string, input = '', more: { namespace?: string; selector?: string[] } = {}) {
  const lines: string[] = [];
  const options = {
    flows,
    namespace: 'shop',
    selector: ['app=api'],
    stdin: Readable.from([Buffer.from(input)]),
    signal: AbortSignal.timeout(20_000),
  };
  const code = await policyLearn({ ...options, ...more, print: (text) => lines.push(text) });
  const text = lines.join('\n');
  return { code, text, policy: parse(text) as Proposal | null };
}
const backend = (...told: readonly Told[]) => learn('-', told.map(line).join('\n'), { namespace: 'backend', selector: ['app=backend'] });

describe('what is proposed', () => {
  it('names no run of a Job: the next one has another', async () => {
    const { code, text, policy } = await learn(at('l-job'));
    expect(code).toBe(EXIT.fine);
    expect(text).not.toMatch(/7a1f0d52|28912345/);
    expect(policy?.spec.ingress).toEqual([
      {
        fromEndpoints: [
          {
            matchLabels: { 'k8s:io.kubernetes.pod.namespace': 'shop' },
            matchExpressions: [{ key: 'batch.kubernetes.io/job-name', operator: 'Exists' }],
          },
        ],
        toPorts: [{ ports: [{ port: '8080', protocol: 'TCP' }] }],
      },
    ]);
  });

  it('has DNS where the cluster has it, over UDP and TCP, and the lint agrees', async () => {
    const { policy, text } = await learn(at('l-openshift'));
    const dns = policy?.spec.egress?.filter((rule) => JSON.stringify(rule).includes('"dns"'));
    expect(dns).toMatchObject([
      {
        toEndpoints: [{ matchLabels: { 'k8s:io.kubernetes.pod.namespace': 'openshift-dns' } }],
        toPorts: [{ ports: [{ port: '5353', protocol: 'ANY' }], rules: { dns: [{ matchPattern: '*' }] } }],
      },
    ]);
    expect(text).not.toContain('kube-dns');
    expect(lintText(text).findings).toEqual([]);
  });

  it('allows ICMPv6 that it was learned from', async () => {
    const { code, policy, text } = await learn(at('l-icmp6'));
    expect(code).toBe(EXIT.fine);
    expect(policy?.spec.ingress).toMatchObject([{ icmps: [{ fields: [{ type: 128, family: 'IPv6' }] }] }]);
    expect(text).not.toContain('DENIED');
  });

  it('leaves out a port scan, from outside and from inside', async () => {
    for (const from of [WORLD('198.51.100.9'), DATABASE]) {
      const scan = Array.from({ length: 199 }, (_, n) => ({ from, to: BACKEND, port: n + 1, sourcePort: 30_000 + n }));
      const { policy, text } = await backend(...scan, { from: FRONTEND, to: BACKEND });
      expect(policy?.spec.ingress).toHaveLength(1);
      expect(JSON.stringify(policy?.spec.ingress)).toContain('frontend');
      expect(text).toContain('199 attempts that nobody answered');
    }
  });

  it('keeps ports that a peer was answered on, however many they are', async () => {
    const many = Array.from({ length: 15 }, (_, n) => ({ from: DATABASE, to: BACKEND, port: 9_000 + n, sourcePort: 30_000 + n }));
    const answers = many.map(({ port, sourcePort }) => ({
      from: BACKEND,
      to: DATABASE,
      port: sourcePort,
      sourcePort: port,
      reply: true,
      event: 4 as const,
    }));
    const { policy } = await backend(...many, ...answers);
    expect(JSON.stringify(policy?.spec.ingress).match(/"port":/g)).toHaveLength(15);
  });

  it('where answers are seen, leaves out a port of the world that never gave one', async () => {
    const world = WORLD('198.51.100.9');
    const answered: Told = { from: BACKEND, to: world, port: 40_000, sourcePort: 443, reply: true, event: 4 };
    const { policy } = await backend({ from: world, to: BACKEND, port: 443 }, answered, {
      from: world,
      to: BACKEND,
      port: 22,
      sourcePort: 2,
    });
    expect(policy?.spec.ingress).toMatchObject([{ toPorts: [{ ports: [{ port: '443', protocol: 'TCP' }] }] }]);
  });

  it.each([
    ['helm.sh/chart=web-1.2.3', 'tier=web'],
    ['pod-template-hash=5d4f8b7c9', 'tier=web'],
    ['app.kubernetes.io/version=1.2.3', 'tier=web'],
    ['release=web-5d4f8b7c9', 'tier=web'],
    ['run=20260101120000', 'tier=web'],
  ])('leaves out %s', async (noise, label) => {
    const from = {
      ...pod('frontend', 'x', '10.0.1.1'),
      labels: [`k8s:${noise}`, `k8s:${label}`, 'k8s:io.kubernetes.pod.namespace=frontend', 'k8s:io.cilium.k8s.policy.cluster=default'],
    };
    const { policy } = await backend({ from, to: BACKEND });
    expect(policy?.spec.ingress).toMatchObject([{ fromEndpoints: [{ matchLabels: { tier: 'web' } }] }]);
    expect(JSON.stringify(policy)).not.toContain(noise.split('=')[0]);
  });
});

describe('never green for nothing', () => {
  it.each([
    ['an empty recording', '', EXIT.empty],
    ['a recording of others', line({ from: FRONTEND, to: DATABASE }), EXIT.empty],
    ['no recording', 'hello\n', EXIT.unreadable],
  ])('%s', async (_what, input, code) => {
    const found = await learn('-', input, { namespace: 'backend', selector: ['app=backend'] });
    expect(found.code).toBe(code);
    expect(found.text).not.toContain('kind:');
  });
  it('says how much it read and left out', async () => {
    const { text } = await backend({ from: FRONTEND, to: BACKEND }, { from: DATABASE, to: BACKEND, verdict: 'DROPPED' });
    expect(text).toContain('# 2 records read; 1 connections of these pods learned, 1 denied and 0 unanswered ones left out.');
  });
});
