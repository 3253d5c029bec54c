import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { parseCommand } from '../../../src/domain/command/parse.ts';
import { CHANNEL, completedIn, type Stage, stage } from '../stage.ts';
import { GOOD } from './played.ts';

let at: Stage;
beforeEach(async () => {
  at = await stage();
});
afterEach(async () => {
  await at[Symbol.asyncDispose]();
});
const type = async (line: string, who = 'U0OPERATOR'): Promise<string> =>
  (await at.slack.drive.as(who, { staleSession: true }).command(CHANNEL, line)).shown?.text ?? '';

describe('policy enforce', () => {
  test.each(['/policy enforce backend', '/mesh policy enforce backend'])('%s starts the operation with the document', async (line) => {
    at.policy.texts.set('backend/backend', GOOD);
    const words = await type(`${line} --window 10m --steps 10,50 --no-observe --accept ingress/world/8080/TCP --reason "least privilege"`);
    expect(words).toContain('has started on `demo/backend/backend`');
    expect(words).toContain('ConfigMap backend/policies (backend.yaml)');
    expect(at.played.begins).toMatchObject([
      {
        verb: 'policy',
        target: { cluster: 'demo', namespace: 'backend', name: 'backend' },
        reason: 'least privilege',
        change: {
          kind: 'enforce',
          windowMs: 600_000,
          steps: [10, 50],
          observe: false,
          accept: ['ingress/world/8080/TCP'],
          candidate: {
            document: { kind: 'CiliumNetworkPolicy', metadata: { name: 'backend' } },
            sha256: expect.stringMatching(/^[0-9a-f]{64}$/),
          },
        },
      },
    ]);
    expect(at.played.begins[0]?.settings.gates).toHaveLength(1);
  });

  test('observe, relax and bootstrap start their own kind', async () => {
    at.policy.texts.set('backend/backend', GOOD);
    await type('/policy observe backend --window 1m');
    await completedIn(at, 'policy-aaaa', [0, 1]);
    await type('/policy relax backend');
    await type('/policy bootstrap shop --window 2m');
    expect(at.played.begins).toMatchObject([
      { verb: 'policy', change: { kind: 'observe', windowMs: 60_000 } },
      { verb: 'policy', change: { kind: 'back', of: 'policy-aaaa' } },
      { verb: 'policy', change: { kind: 'bootstrap', windowMs: 120_000 }, target: { namespace: 'shop', name: 'namespace-shop' } },
    ]);
  });

  test('relax means the policy alone, and every command that it suggests is one', async () => {
    await completedIn(at, 'canary-aaaa', [0, 10]);
    const words = await type('/policy relax frontend/frontend');
    expect(words).toContain('No completed policy operation on frontend/frontend');
    const [, suggested = ''] = /`([^`]+)`/.exec(words) ?? [];
    expect(parseCommand(suggested, { root: 'mesh' })).toMatchObject({ kind: 'policy status' });
    await type('/policy relax backend');
    expect(at.played.begins).toEqual([]);
  });

  test('without a policy it says where it looked and starts nothing', async () => {
    expect(await type('/policy enforce backend')).toContain('Looked for: a ConfigMap');
    expect(at.played.begins).toHaveLength(0);
    expect(at.refused).toEqual(['NoCandidate']);
    await at.idle();
    expect(await at.audit.verify()).toMatchObject({ kind: 'intact', records: 1 });
  });

  test('a policy that would do something else than it says is refused with the right form', async () => {
    at.policy.texts.set('backend/backend', GOOD.replace('fromEndpoints:', 'fromServices:'));
    const words = await type('/policy enforce backend');
    expect(words).toContain('Nothing was changed.');
    expect(words).toMatch(/line 1[01]:\d+/);
    expect(at.played.begins).toHaveLength(0);
  });

  test('nothing that a policy or a person writes works as markup', async () => {
    at.policy.texts.set('backend/backend', GOOD.replace('kind: CiliumNetworkPolicy', 'kind: "<!channel> *x* `y`"'));
    const words = await type('/policy enforce backend --reason "<!here>"');
    expect(words).toContain('&lt;!channel&gt;');
    expect(words).not.toMatch(/<!(?:channel|here)>/);
  });
});
