import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { readEnvironment, SecretRefused } from '../../src/config/environment.ts';
import { formatConfigError, readConfigText } from '../../src/config/read.ts';
import { ConfigRefused, openConfig } from '../../src/config/source.ts';
import { SILENT } from '../../src/log.ts';

const GOOD = `
clusters:
  demo:
    kubernetes: { context: demo }
    hubble: { relay: "127.0.0.1:4245" }
channels:
  - { id: C0MESH, cluster: demo, namespace: backend }
identities:
  rules:
    - { email: operator@example.com, groups: [mesh-operators] }
gates:
  - approvers: { usergroups: [S0REVIEWERS] }
slack:
  teamIds: [T0MESHOPS]
`;

function errors(text: string): readonly string[] {
  const read = readConfigText(text);
  return read.ok ? [] : read.errors.map((error) => formatConfigError('meshops.yaml', error));
}

describe('mistakes are shown at their line', () => {
  test('a good file has none', () => expect(errors(GOOD)).toEqual([]));
  test('an unknown cluster', () => {
    expect(errors(GOOD.replace('cluster: demo', 'cluster: prod'))).toEqual([
      expect.stringMatching(/^meshops\.yaml:7:\d+ channels\.0\.cluster: .*prod/),
    ]);
  });
  test('a misspelt key', () => {
    expect(errors(GOOD.replace('identities:', 'identitys:'))).toContainEqual(
      expect.stringMatching(/^meshops\.yaml:8:1 identitys: .*did you mean `identities`/),
    );
  });
  test('freezes: a strange cluster, a time without its zone, a misspelt key', () => {
    const lines = ['freezes:', '  - { scope: prod, from: 18:00, until: 08:00, zone: UTC, reason: nights }'];
    expect(errors([GOOD.trim(), ...lines].join('\n'))).toEqual([
      expect.stringMatching(/^meshops\.yaml:15:\d+ freezes\.0\.scope: There is no cluster `prod`/),
    ]);
    const more = [
      'freezes:',
      '  - scope: demo',
      '    from: fri 16:00',
      '    untill: mon 08:00',
      '    until: mon 08:00',
      '    reason: rest',
    ];
    expect(errors([GOOD.trim(), ...more].join('\n'))).toEqual([
      expect.stringMatching(/^meshops\.yaml:15:\d+ freezes\.0\.zone: Say in which `zone`/),
      expect.stringMatching(/^meshops\.yaml:17:5 freezes\.0\.untill: .*did you mean `until`/),
    ]);
  });
  test('something missing is shown at what it is missing from', () => {
    expect(errors(GOOD.replace('  teamIds: [T0MESHOPS]', '  mode: http'))).toEqual([
      expect.stringMatching(/^meshops\.yaml:13:1 slack\.teamIds/),
    ]);
  });
  test('several at once, in the order of the file', () => {
    const lines = errors(GOOD.replace('C0MESH', 'mesh').replace('S0REVIEWERS', 'reviewers')).map((line) => Number(line.split(':')[1]));
    expect(lines).toEqual([7, 12]);
  });
  test('what is not YAML', () => expect(errors('a: [1')).toEqual([expect.stringMatching(/^meshops\.yaml:1:\d+ Not YAML/)]));
  test('a file of aliases that would blow up', () => {
    const bomb = 'a: &a [x]\nb: &b [*a, *a]\nclusters: [*b, *b]\n';
    expect(errors(bomb).join()).toContain('Aliases');
  });
  test('an empty file', () => expect(errors('').length).toBeGreaterThan(0));
  test('a secret is never repeated', () => {
    const found = errors(`${GOOD}  botToken: xoxb-1234-secret\n`);
    expect(found.join()).toContain('secret');
    expect(found.join()).not.toContain('xoxb-1234');
  });
});

describe('reload', () => {
  let folder: string;
  let path: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'meshops-config-'));
    path = join(folder, 'meshops.yaml');
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  /** At once, as Kubernetes replaces a mounted file: whoever looks in between sees the one or the other, never half of it. */
  const replace = (text: string): void => {
    writeFileSync(`${path}.new`, text);
    renameSync(`${path}.new`, path);
  };

  test('a bad new version is refused and the old one stays; a good one comes into force by itself', async () => {
    writeFileSync(path, GOOD);
    const ending = new AbortController();
    const logged: string[] = [];
    let heard: () => void = () => undefined;
    const hear = (_fields: object, message: string): void => {
      logged.push(message);
      heard();
    };
    const next = (): Promise<void> => new Promise((resolve) => (heard = resolve));
    const log = { ...SILENT, info: hear, error: hear };
    const source = await openConfig({ path, log, signal: ending.signal, everyMs: 20 });
    const bad = next();
    replace(GOOD.replace('cluster: demo', 'cluster: prod'));
    await bad;
    expect(source.current().channels[0]?.cluster).toBe('demo');
    expect(source.isStale()).toBe(true);
    const good = next();
    replace(GOOD.replace('namespace: backend', 'namespace: shop'));
    await good;
    expect(source.current().channels[0]?.namespace).toBe('shop');
    expect(source.isStale()).toBe(false);
    expect(logged).toHaveLength(2);
    ending.abort();
  });

  test('a bad file at the start is refused with its lines', async () => {
    writeFileSync(path, 'clusters: {}');
    const signal = AbortSignal.abort();
    await expect(openConfig({ path, log: SILENT, signal })).rejects.toThrow(ConfigRefused);
  });

  test('secrets come from the environment or from files', () => {
    writeFileSync(path, 'xoxb-file\n');
    expect(readEnvironment({ SLACK_BOT_TOKEN_FILE: path }).slackBotToken).toBe('xoxb-file');
    expect(readEnvironment({ SLACK_BOT_TOKEN: 'xoxb-direct' }).slackBotToken).toBe('xoxb-direct');
    expect(() => readEnvironment({ SLACK_BOT_TOKEN: 'a', SLACK_BOT_TOKEN_FILE: path })).toThrow(SecretRefused);
    expect(() => readEnvironment({ DATABASE_URL_FILE: '/nowhere/at/all' })).toThrow('DATABASE_URL_FILE');
  });
});
