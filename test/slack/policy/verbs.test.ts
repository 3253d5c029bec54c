import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { EnforceChange } from '../../../src/domain/policy/change.ts';
import { mostAccepted } from '../../../src/domain/policy/stages/doubts.ts';
import { BACKEND, DATABASE, FRONTEND, type Told, WORLD } from '../../domain/policy/dryrun/lines.ts';
import { CHANNEL, type Stage, stage } from '../stage.ts';
import { flowsOf, GOOD, stored } from './played.ts';

let at: Stage;
beforeEach(async () => {
  at = await stage();
});
afterEach(async () => {
  await at[Symbol.asyncDispose]();
});
async function type(line: string, who = 'U0OPERATOR'): Promise<string> {
  const outcome = await at.slack.drive.as(who, { staleSession: true }).command(CHANNEL, line);
  expect(outcome.ackMs).toBeLessThan(3_000);
  return outcome.shown?.text ?? '';
}
const posted = () => at.slack.drive.messages(CHANNEL).filter(({ user }) => user === 'U0MESHOPS');
const heard = (who = 'U0OPERATOR') => at.slack.drive.as(who).ephemerals().at(-1)?.text ?? '';
function allow(app: string, namespace = app) {
  return {
    endpointSelector: { matchLabels: { app: 'backend' } },
    ingress: [{ fromEndpoints: [{ matchLabels: { app, 'k8s:io.kubernetes.pod.namespace': namespace } }] }],
  };
}

describe('policy dryrun', () => {
  test('says what would be dropped and newly allowed, how far the ring reaches, and changes nothing', async () => {
    at.policy.texts.set('backend/backend', GOOD);
    at.policy.reachesTo = Date.now() - 7 * 60_000;
    at.policy.flows = flowsOf(
      { from: DATABASE, to: BACKEND, port: 9090 },
      { from: FRONTEND, to: BACKEND },
      { from: { ...WORLD(), labels: [], identity: 99_999 }, to: BACKEND },
    );
    expect(await type('/policy dryrun backend')).toContain('The result comes in this channel');
    await at.idle();
    const text = posted().at(-1)?.text ?? '';
    expect(text).toContain('1 of 2 connections that were seen would be dropped');
    expect(text).toContain('Only the last 7 min were read of 10 min, since Hubble remembers no more.');
    expect(text).toContain('from database/database to port 9090/TCP');
    expect(text).toContain('`ingress/database/database/9090/TCP`');
    expect(text).toContain('the source has no labels');
    expect(at.played.begins).toHaveLength(0);
  });

  test.each(['dryrun', 'learn'])('a window that somebody names and no ring reaches is refused: %s', async (verb) => {
    at.policy.texts.set('backend/backend', GOOD);
    at.policy.reachesTo = Date.now() - 31_000;
    at.policy.flows = flowsOf({ from: FRONTEND, to: BACKEND });
    const before = posted().length;
    await type(`/policy ${verb} backend --window 10m`);
    await at.idle();
    expect(heard()).toContain('Hubble remembers the last 31 s only; you asked for 10 min');
    expect(heard()).toContain('`--window 31s`');
    expect(posted()).toHaveLength(before);
    await type(`/policy ${verb} backend --window 30s`);
    await at.idle();
    expect(posted().length).toBeGreaterThan(before);
  });

  test('a long result comes with a table', async () => {
    at.policy.texts.set('backend/backend', GOOD);
    at.policy.flows = flowsOf(...Array.from({ length: 12 }, (_, index): Told => ({ from: DATABASE, to: BACKEND, port: 9_000 + index })));
    await type('/policy dryrun backend');
    await at.idle();
    const root = posted().at(-1);
    const files = at.slack.drive.thread(CHANNEL, root?.ts ?? '').flatMap((message) => message.files ?? []);
    expect(files).toMatchObject([{ name: 'dry-run-backend-backend.csv' }]);
  });

  test('its numbers stand in the plan of an enforce of the same file', async () => {
    at.policy.texts.set('backend/backend', GOOD);
    at.policy.flows = flowsOf({ from: DATABASE, to: BACKEND, port: 9090 });
    await type('/policy dryrun backend');
    await at.idle();
    await type('/policy enforce backend');
    const [begun] = at.played.begins;
    expect(begun?.change).toMatchObject({
      dryRun: [expect.stringContaining('1 of 1 connection that were seen would be dropped'), expect.any(String)],
    });
  });

  test('what it has counted bounds what the enforce accepts; what it has not seen is accepted as the least', async () => {
    at.policy.texts.set('backend/backend', GOOD);
    at.policy.flows = flowsOf({ from: DATABASE, to: BACKEND, port: 9090 });
    await type('/policy dryrun backend');
    await at.idle();
    await type('/policy enforce backend --accept ingress/database/database/9090/TCP,ingress/world/22/TCP');
    const change = at.played.begins[0]?.change as EnforceChange;
    expect(change).toMatchObject({ counted: { 'ingress/database/database/9090/TCP': 1 } });
    const most = mostAccepted({ ...change, counted: { ...change.counted, 'ingress/database/database/9090/TCP': 7 } });
    expect(most).toEqual({ 'ingress/database/database/9090/TCP': 21, 'ingress/world/22/TCP': 10 });
  });

  test('of another file says nothing: the plan makes its own', async () => {
    at.policy.texts.set('backend/backend', GOOD);
    await type('/policy dryrun backend');
    await at.idle();
    at.policy.texts.set('backend/backend', GOOD.replace('8080', '8081'));
    await type('/policy enforce backend');
    expect(at.played.begins[0]?.change).not.toHaveProperty('dryRun');
  });

  test('is left out where that was typed, and the plan is told so', async () => {
    at.policy.texts.set('backend/backend', GOOD);
    await type('/policy enforce backend --no-dryrun --replace');
    expect(at.played.begins[0]?.change).toMatchObject({ withoutDryRun: true, replace: true });
  });

  test('a Hubble that does not answer is said, and nothing of it goes into a plan', async () => {
    at.policy.texts.set('backend/backend', GOOD);
    at.policy.rings = async () => {
      throw Object.assign(new Error('no answer in time'), { name: 'TimeoutError' });
    };
    await type('/policy dryrun backend');
    await at.idle();
    expect(heard()).toContain('Cluster demo could not be asked: no answer in time.');
    await type('/policy enforce backend');
    expect(at.played.begins[0]?.change).not.toHaveProperty('dryRun');
  });
});

describe('policy check', () => {
  test('a good policy, taken by the server', async () => {
    at.policy.texts.set('backend/backend', GOOD);
    const words = await type('/policy check backend');
    expect(words).toContain('the lint has nothing to say');
    expect(words).toContain('The server would take it');
  });

  test('findings with their line, and the word of the server', async () => {
    at.policy.texts.set('backend/backend', GOOD.replace('fromEndpoints:', 'fromServices:'));
    at.policy.server = { kind: 'refuses', words: 'unknown field <!channel>' };
    const words = await type('/policy check backend');
    expect(words).toMatch(/error\*, line 1\d:\d+/);
    expect(words).toContain('unknown field &lt;!channel&gt;');
  });
});

describe('policy learn', () => {
  const flows = flowsOf(
    { from: FRONTEND, to: BACKEND },
    { from: BACKEND, to: WORLD(), port: 443, direction: 'EGRESS', names: ['api.example.com'] },
  );
  const propose = async () => {
    at.policy.flows = flows;
    await type('/policy learn backend');
    await at.idle();
    return posted().at(-1);
  };

  test('posts a proposal with its file, applies nothing, and its button starts the ordinary operation with its gate', async () => {
    const root = await propose();
    expect(root?.text).toContain('*Nothing is applied.*');
    const [file] = at.slack.drive.thread(CHANNEL, root?.ts ?? '').flatMap((message) => message.files ?? []);
    expect(file?.['name']).toMatch(/^backend-backend-[0-9a-f]{12}\.yaml$/);
    expect(at.played.begins).toHaveLength(0);
    await at.slack.drive.as('U0OPERATOR').click(CHANNEL, root?.ts ?? '', 'meshops-policy:enforce');
    await at.idle();
    expect(at.played.begins).toMatchObject([
      {
        verb: 'policy',
        change: { kind: 'enforce', candidate: { document: { spec: { egress: [{ toFQDNs: [{ matchName: 'api.example.com' }] }, {}] } } } },
      },
    ]);
    expect(at.played.begins[0]?.settings.gates).toHaveLength(1);
  });

  test('check and dry-run of the proposal by its buttons', async () => {
    const root = await propose();
    const press = async (action: string) => {
      await at.slack.drive.as('U0REVIEWER').click(CHANNEL, root?.ts ?? '', `meshops-policy:${action}`);
      await at.idle();
    };
    await press('check');
    expect(heard('U0REVIEWER')).toContain('The server would take it');
    await press('dryrun');
    const thread = at.slack.drive.thread(CHANNEL, root?.ts ?? '');
    expect(thread.at(-1)?.text).toContain('none of 2 connections that were seen would be dropped');
  });

  test('the difference to what is in force is shown', async () => {
    at.policy.documents = [stored('backend', 'backend', allow('database'))];
    const blocks = JSON.stringify((await propose())?.blocks);
    expect(blocks).toContain('Difference to the policy of this name');
    expect(blocks).toMatch(/- +app: database/);
    expect(blocks).toMatch(/\+ +app: frontend/);
  });

  test('nothing seen is nothing proposed', async () => {
    await type('/policy learn backend');
    await at.idle();
    expect(heard()).toContain('there is nothing to propose');
  });
});

describe('policy explain and status', () => {
  test('names the rule that decides, now and with the candidate', async () => {
    at.policy.documents = [stored('backend', 'old', allow('database'))];
    at.policy.texts.set('backend/backend', GOOD);
    const words = await type('/policy explain frontend/frontend -> backend/backend:8080');
    expect(words).toContain('Under the policies in force: ✗ denied');
    expect(words).toContain('under default deny for ingress');
    expect(words).toContain('✓ allowed');
    expect(words).toContain('Allowed by backend/backend (spec.ingress[0])');
  });

  test('a flow as Hubble prints it', async () => {
    const [flow] = flowsOf({ from: WORLD(), to: BACKEND });
    at.policy.documents = [stored('backend', 'old', allow('database'))];
    const { source, destination, IP, l4, traffic_direction, event_type, is_reply, verdict } = flow as unknown as Record<string, unknown>;
    const words = await type(
      `/policy explain ${JSON.stringify({ flow: { source, destination, IP, l4, traffic_direction, event_type, is_reply, verdict } })}`,
    );
    expect(words).toContain('✗ denied');
    expect(words).toContain('no policy is enforced at this end');
  });

  test('status names the policies that select, what they close, and whether they are valid', async () => {
    at.policy.documents = [
      stored('backend', 'old', allow('database')),
      stored(
        'backend',
        'odd',
        { endpointSelector: { matchLabels: { app: 'backend' } }, enableDefaultDeny: { egress: false }, egress: [{}] },
        false,
      ),
      stored('backend', 'other', { endpointSelector: { matchLabels: { app: 'other' } }, ingress: [{}] }),
      stored('backend', 'broken', { endpointSelector: {}, ingress: [] }),
    ];
    const words = await type('/policy status backend');
    expect(words).toContain('egress: open, ingress: *default deny*');
    expect(words).toContain('CiliumNetworkPolicy `backend/old`: default deny for ingress, valid');
    expect(words).toContain('`backend/odd`: no default deny, *not valid*: because');
    expect(words).toContain('`backend/broken`: *not in force*');
    expect(words).not.toContain('backend/other');
    expect(words).toContain('Nothing runs on `demo/backend/backend`');
  });

  test('a workload that is not there', async () => {
    expect(await type('/policy status nobody')).toContain('There is no workload demo/backend/nobody');
  });
});

describe('a mention', () => {
  const say = async (text: string, file?: string | Buffer, who = 'U0OPERATOR') => {
    const files = file === undefined ? {} : { files: [{ name: 'policy.yaml', data: Buffer.from(file) }] };
    const message = at.slack.drive.as(who).say(CHANNEL, `@meshops ${text}`, files);
    await at.slack.drive.waitFor((drive) => drive.as(who).ephemerals().length > 0);
    await at.idle();
    return message;
  };

  test('with a file enforces that file, before any other source', async () => {
    at.policy.texts.set('backend/backend', GOOD.replace('8080', '9999'));
    await say('enforce backend --reason "as agreed"', GOOD);
    expect(at.played.begins).toMatchObject([
      {
        reason: 'as agreed',
        change: {
          candidate: {
            source: 'policy.yaml (file in this thread)',
            document: { spec: { ingress: [{ toPorts: [{ ports: [{ port: '8080' }] }] }] } },
          },
        },
      },
    ]);
    expect(heard()).toContain('sha256');
  });

  test.each([
    ['too large', `# ${'x'.repeat(257 * 1024)}`, 'at most 262144 are read'],
    [
      'aliases without bound',
      ['l0: &l0 [x]', ...Array.from({ length: 30 }, (_, n) => `l${n + 1}: &l${n + 1} [*l${n}, *l${n}]`)].join('\n'),
      'alias',
    ],
    ['another namespace', GOOD.replace('namespace: backend', 'namespace: other'), 'written for namespace "other"'],
    ['two documents', `${GOOD}---\n${GOOD}`, 'holds 2 documents'],
    ['not a text', Buffer.from([0xff, 0xfe, 0xfd]), 'not a text in UTF-8'],
  ])('a file that cannot be used: %s', async (_what, file, words) => {
    await say('enforce backend', file);
    expect(heard()).toContain(words);
    expect(at.played.begins).toHaveLength(0);
  });

  test('takes the ordinary words too, and keeps the same rules about people', async () => {
    await say('status');
    expect(heard()).toBe('No operation runs.');
    await at.idle();
  });
});
