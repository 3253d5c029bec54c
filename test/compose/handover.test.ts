import { expect, test } from 'vitest';
import { openDatabase } from '../../src/audit/database.ts';
import { createHandovers } from '../../src/audit/handovers.ts';
import { createAudit } from '../../src/audit/log.ts';
import type { KubeObject } from '../../src/clients/kubernetes/objects.ts';
import { type HandoverDeps, handOverOnce } from '../../src/compose/handover.ts';
import { HandoverRule } from '../../src/domain/config/handover.ts';
import type { AuditRecord } from '../../src/domain/lifecycle/operation.ts';
import type { Found, Job } from '../../src/handover/work.ts';
import { SILENT } from '../../src/log.ts';
import { handoverLines } from '../../src/slack/handover.ts';
import { operator, request } from '../support/operations.ts';

const ROUTE = { apiVersion: 'gateway.networking.k8s.io/v1', kind: 'HTTPRoute', namespace: 'backend', name: 'backend' } as const;
const { target, change, text, channel } = request();
const message = { channelId: 'C0MESH', ts: '1.1' };
const FIELD = '/spec/rules/0/backendRefs/1/weight';
const signal = new AbortController().signal;

/** The record of a completed canary. */
function completed(opId: string, weight: number, at: number): readonly AuditRecord[] {
  const write = { object: ROUTE, uid: 'uid-1', generation: 1, before: { [FIELD]: 0 }, after: { [FIELD]: weight } };
  const original = { object: ROUTE, uid: 'uid-1', fields: { [FIELD]: 0 }, token: null, digest: 'd' };
  const last = { number: 1, label: `${weight}%`, exposure: weight / 100, writes: [write] };
  const data = { text, change, verb: 'canary', runId: `run-${opId}`, requester: operator, channel };
  return [
    { opId, target, key: `${opId}/1`, at, kind: 'request', actor: operator.id, data: data as never },
    { opId, target, key: `${opId}/2`, at, kind: 'write', data: { stage: 1, result: 'applied', writes: [write] } as never },
    { opId, target, key: `${opId}/3`, at, kind: 'outcome', data: { kind: 'completed', originals: [original], last, message } as never },
  ];
}

const DIFFERS: Found = { commit: 'c', paths: ['apps/web.yaml'], patch: 'diff --git a/x b/x\n', problems: [] };
const AGREES: Found = { commit: 'c', paths: [], patch: '', problems: [] };

async function scene(rule: object = {}) {
  const db = await openDatabase(':memory:');
  const [audit, handovers] = [createAudit(db), createHandovers(db)];
  const clock = { now: 100_000 };
  const rules = [HandoverRule.parse({ repository: 'https://git.example.com/team/deploy.git', ...rule })];
  const [told, files, jobs]: [string[], { name: string; text: string; comment: string }[], Job[]] = [[], [], []];
  const played: { found: Found | Error } = { found: DIFFERS };
  const live = {
    ...ROUTE,
    metadata: { name: 'backend', namespace: 'backend', uid: 'uid-1', resourceVersion: '1' },
    spec: {},
  } as KubeObject;
  const deps: HandoverDeps = {
    cluster: 'demo',
    rules: () => rules,
    handovers,
    audit,
    read: async () => live,
    git: {
      look: async (job) => {
        jobs.push(job);
        if (played.found instanceof Error) throw played.found;
        return played.found;
      },
      close: async () => undefined,
    },
    announcer: {
      tell: async (_thread, { text: words }) => void told.push(words),
      attach: async (_thread, file) => void files.push(file),
    },
    now: () => clock.now,
    log: SILENT,
  };
  const pass = async (ms: number): Promise<void> => {
    clock.now += ms;
    await handOverOnce(deps, signal);
  };
  const status = () => handoverLines({ handovers, config: () => ({ handover: rules }) as never, log: SILENT }, () => true, target);
  return { audit, handovers, played, told, files, jobs, pass, status, deps };
}

test('what completed is a patch in its thread, once; status says that Git differs until it agrees, and then it is said', async () => {
  const at = await scene();
  await at.audit.append(completed('canary-aaaaaa', 10, 90_000));
  await at.pass(0);
  expect(at.files).toMatchObject([{ name: 'canary-aaaaaa.patch', text: DIFFERS.patch }]);
  expect(at.files[0]?.comment).toContain('*Differs from Git* (`https://git.example.com/team/deploy.git`, `main`): apps/web.yaml.');
  expect(at.jobs[0]).toMatchObject({
    handed: [{ before: { [FIELD]: 0 }, after: { [FIELD]: 10 } }],
    propose: { branch: 'meshops/canary-aaaaaa' },
  });
  expect((await at.status()).join()).toContain('*differs from Git* (`https://git.example.com/team/deploy.git`, `main`): `apps/web.yaml`.');
  await at.pass(59_000);
  expect(at.jobs).toHaveLength(1);
  await at.pass(1_000);
  // Later looks propose nothing.
  expect(at.jobs).toHaveLength(2);
  expect(at.jobs[1]?.propose).toBeUndefined();
  expect(at.files).toHaveLength(1);
  at.played.found = AGREES;
  await at.pass(60_000);
  expect(at.told).toEqual(['Git agrees with it: `https://git.example.com/team/deploy.git`, `main` has the same values.']);
  expect(await at.status()).toEqual([]);
  await at.pass(600_000);
  expect(at.jobs).toHaveLength(3);
});

test('nothing is said where Git agrees from the start, and nothing looked at that is old, of another cluster, or not completed', async () => {
  const at = await scene();
  at.played.found = AGREES;
  await at.audit.append(completed('canary-aaaaaa', 10, 90_000));
  await at.pass(0);
  expect([at.told, at.files, await at.status()]).toEqual([[], [], []]);
  const other = await scene();
  await other.audit.append(completed('canary-bbbbbb', 10, 90_000));
  await other.pass(3_700_000);
  await handOverOnce({ ...other.deps, cluster: 'edge' }, signal);
  expect(other.jobs).toEqual([]);
});

test('a later operation on the target is what counts', async () => {
  const at = await scene();
  await at.audit.append(completed('canary-aaaaaa', 10, 90_000));
  await at.pass(0);
  await at.audit.append(completed('canary-bbbbbb', 20, 100_000));
  await at.pass(60_000);
  expect((await at.status()).map((line) => /\*(canary-\w+)\*/.exec(line)?.[1])).toEqual(['canary-bbbbbb']);
});

test('Git that does not answer is asked again, later each time; people hear of it once, and status says why', async () => {
  const at = await scene();
  at.played.found = new Error('HTTP Error: 401 Unauthorized');
  await at.audit.append(completed('canary-aaaaaa', 10, 90_000));
  for (const ms of [0, 4_999, 1, 10_000, 20_000, 40_000]) await at.pass(ms);
  expect(at.jobs).toHaveLength(5);
  expect(at.told).toEqual([expect.stringContaining('could not be handed over to Git')]);
  expect((await at.status()).join()).toContain('not compared with Git yet. Git does not answer now: HTTP Error: 401 Unauthorized.');
  at.played.found = DIFFERS;
  await at.pass(600_000);
  expect(at.files).toHaveLength(1);
});

test('two workers do not do the same; what one has left undone another takes up', async () => {
  const at = await scene();
  await at.audit.append(completed('canary-aaaaaa', 10, 90_000));
  await at.handovers.take('demo', 0, 100_000);
  const [one, two] = await Promise.all([at.handovers.claim('demo', 100_000, 220_000), at.handovers.claim('demo', 100_000, 220_000)]);
  expect(one.length + two.length).toBe(1);
  await at.pass(119_999);
  expect(at.jobs).toEqual([]);
  await at.pass(1);
  expect(at.jobs).toHaveLength(1);
});

test('a manifest that cannot be edited: the objects as they are now are the file', async () => {
  const at = await scene();
  at.played.found = { ...AGREES, problems: ['HTTPRoute/backend/backend: no manifest of it was found under apps'] };
  await at.audit.append(completed('canary-aaaaaa', 10, 90_000));
  await at.pass(0);
  expect(at.files).toMatchObject([{ name: 'canary-aaaaaa.yaml', text: expect.stringContaining('kind: HTTPRoute') as string }]);
  expect(at.files[0]?.comment).toContain('no patch could be made');
  expect((await at.status()).join()).toContain('no manifest of it was found');
});

test('a pull request is named by its address', async () => {
  const at = await scene({ as: 'pull-request', provider: 'github', tokenFile: '/x' });
  at.played.found = { ...DIFFERS, url: 'https://git.example.com/team/deploy/pull/7' };
  await at.audit.append(completed('canary-aaaaaa', 10, 90_000));
  await at.pass(0);
  expect(at.files).toEqual([]);
  expect(at.told.join()).toContain('Pull request: https://git.example.com/team/deploy/pull/7');
  expect((await at.status()).join()).toContain('<https://git.example.com/team/deploy/pull/7|Pull request>');
});

test('a database that does not answer is said, since silence would mean that Git agrees', async () => {
  const handovers = { open: () => Promise.reject(new Error('connect ECONNREFUSED')) } as never;
  const config = () => ({ handover: [{}] }) as never;
  const words = await handoverLines({ handovers, config, log: SILENT }, () => true, target);
  expect(words).toEqual(['Whether Git has what operations left is not known: the database does not answer.']);
});
