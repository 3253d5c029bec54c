import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { parseCommand } from '../../../src/domain/commands/parse.ts';
import { CHANNEL, completedIn, type Stage, stage } from '../stage.ts';
import { GOOD } from './played.ts';

let at: Stage;
beforeEach(async () => {
  at = await stage();
});
afterEach(async () => {
  await at[Symbol.asyncDispose]();
});
async function type(line: string, who = 'U0OPERATOR'): Promise<string> {
  return (await at.slack.drive.as(who, { staleSession: true }).command(CHANNEL, line)).shown?.text ?? '';
}

const FRONTEND = GOOD.replace('name: backend', 'name: frontend')
  .replace('namespace: backend', 'namespace: frontend')
  .replace('{app: backend}', '{app: frontend}');

describe('a bare name', () => {
  test('that one namespace alone has is taken, and said', async () => {
    at.policy.places.set('frontend', ['frontend']);
    at.policy.texts.set('frontend/frontend', FRONTEND);
    const words = await type('/policy enforce frontend');
    expect(words).toContain('Namespace `frontend`, the only one that has frontend.');
    expect(at.played.begins).toMatchObject([{ target: { cluster: 'demo', namespace: 'frontend', name: 'frontend' } }]);
  });

  test("is the channel's own where that has it, whoever else has it too", async () => {
    at.policy.places.set('backend', ['backend', 'shop']);
    at.policy.texts.set('backend/backend', GOOD);
    expect(await type('/policy enforce backend')).not.toContain('the only one');
    expect(at.played.begins).toMatchObject([{ target: { namespace: 'backend' } }]);
  });

  test('that several have is asked about: a button for each gives the whole command', async () => {
    at.policy.places.set('frontend', ['shop', 'frontend']);
    at.policy.texts.set('frontend/frontend', FRONTEND);
    const words = await type('/policy enforce frontend --window 1m');
    expect(words).toContain('is in 2 namespaces. Nothing was changed.');
    expect(words).toContain('`/policy enforce shop/frontend --window 1m`');
    expect(at.played.begins).toEqual([]);
    const person = at.slack.drive.as('U0OPERATOR');
    await person.click(CHANNEL, person.ephemerals().at(-1)?.ts ?? '', 'meshops-place:1');
    await at.idle();
    expect(at.played.begins).toMatchObject([{ target: { namespace: 'frontend' }, text: '/policy enforce frontend/frontend --window 1m' }]);
  });

  test('outside of what the channel may name is not found', async () => {
    await at[Symbol.asyncDispose]();
    at = await stage({ channels: [{ id: CHANNEL, cluster: 'demo', namespace: 'backend', scope: ['demo/backend'] }] });
    at.policy.places.set('frontend', ['frontend']);
    at.policy.texts.set('frontend/frontend', FRONTEND);
    expect(await type('/policy enforce frontend')).not.toContain('has started');
    expect(await type('/policy enforce frontend/frontend')).toContain('may not be named in this channel');
    expect(await type('/policy status frontend/frontend')).toContain('may not be named in this channel');
    expect(await type('/mesh freeze demo 1h weekend')).toContain('may not be named in this channel');
    expect(at.played.begins).toEqual([]);
  });
});

describe('a read', () => {
  test.each([
    '/policy learn backend',
    '/policy dryrun backend',
    '/policy check backend',
    '/policy status backend',
    '/policy explain frontend/frontend -> backend:8080',
    '/policy explain backend -> frontend/frontend:8080',
  ])('is refused to whom the cluster does not let read that: %s', async (line) => {
    at.policy.texts.set('backend/backend', GOOD);
    at.played.unreadable.push('meshops:operator@example.com backend');
    expect(await type(line)).toMatch(/You cannot read this: .*meshops:operator@example.com.* list pods in backend/);
    expect(at.refused).toEqual(['MayNotRead']);
    expect(await type('/policy status database/database')).not.toContain('You cannot read');
  });
});

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
    await type('/policy bootstrap shop --window 2m --no-observe');
    expect(at.played.begins).toMatchObject([
      { verb: 'policy', change: { kind: 'observe', windowMs: 60_000 } },
      { verb: 'policy', change: { kind: 'back', of: 'policy-aaaa' } },
      {
        verb: 'policy',
        change: { kind: 'bootstrap', windowMs: 120_000, observe: false },
        target: { namespace: 'shop', name: 'namespace-shop' },
      },
    ]);
  });

  test('relax means the policy alone, and every command that it suggests is one', async () => {
    await completedIn(at, 'canary-aaaa', [0, 10]);
    const words = await type('/policy relax frontend/frontend');
    expect(words).toContain('No completed policy operation on frontend/frontend');
    const [, suggested = ''] = /`\/policy ([^`]+)`/.exec(words) ?? [];
    expect(parseCommand(suggested, { root: 'policy' })).toMatchObject({ kind: 'policy status' });
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
