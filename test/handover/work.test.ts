import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Authority, createAuthority } from '../../playground/cilium/certificates.ts';
import { type GitServer, startGit } from '../../playground/git/server.ts';
import { HandoverRule, handoverFor } from '../../src/domain/config/handover.ts';
import { createGitApart } from '../../src/handover/apart.ts';
import type { Handed } from '../../src/handover/documents.ts';
import { look } from '../../src/handover/work.ts';

const ROUTE = { apiVersion: 'gateway.networking.k8s.io/v1', kind: 'HTTPRoute', namespace: 'shop', name: 'web' };
function yaml(weight: number): string {
  return `# front door
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: { name: web }
spec:
  rules:
    - backendRefs:
        - { name: web, weight: ${100 - weight} }
        - { name: web-canary, weight: ${weight} } # new
`;
}
const at = (index: number): string => `/spec/rules/0/backendRefs/${index}/weight`;
const left: Handed = { ref: ROUTE, before: { [at(0)]: 100, [at(1)]: 0 }, after: { [at(0)]: 90, [at(1)]: 10 }, isDeleted: false };
const propose = { branch: 'meshops/canary-1', title: 'shop/web as canary-1 left it', body: 'Approved and watched.' };

let authority: Authority;
let server: GitServer;
let folder: string;
let repository: string;

beforeAll(async () => {
  authority = await createAuthority(Date.now());
  folder = await mkdtemp(join(tmpdir(), 'handover-'));
  server = await startGit({ token: 's3cret', tls: authority.issue(['localhost']) });
  repository = await server.create('team/deploy', { 'apps/shop/web.yaml': yaml(0), 'apps/other.txt': 'x', 'big/a/b.yaml': 'a: 1\n' });
  await writeFile(join(folder, 'token'), 's3cret\n');
  await writeFile(join(folder, 'wrong'), 'guess');
  await writeFile(join(folder, 'ca.crt'), authority.cert);
}, 60_000);
afterAll(async () => {
  await server?.stop();
  await rm(folder, { recursive: true, force: true });
});

function rule(more: object = {}): HandoverRule {
  const files = { tokenFile: join(folder, 'token'), caFile: join(folder, 'ca.crt') };
  return HandoverRule.parse({ repository, folder: '/apps/', ...files, ...more });
}

describe('Git over HTTPS with a token from a file and a CA of its own', () => {
  it('is compared: the patch makes the branch what the operation left', async () => {
    const found = await look({ rule: rule(), handed: [left], propose });
    expect(found).toMatchObject({ paths: ['apps/shop/web.yaml'], problems: [] });
    await server.git('team/deploy', ['apply', '--check', '-'], found.patch);
    await server.git('team/deploy', ['apply', '-'], found.patch);
    expect(await server.git('team/deploy', ['diff', '--numstat'])).toBe('2\t2\tapps/shop/web.yaml\n');
    await server.git('team/deploy', ['checkout', '--quiet', '.']);
    expect(server.merges).toEqual([]);
  });

  it.each(['github', 'gitlab'] as const)(
    'becomes a request to merge on %s, once; its branch has exactly the patched files',
    async (provider) => {
      const branch = `meshops/${provider}-1`;
      const job = { rule: rule({ as: 'pull-request', provider }), handed: [left], propose: { ...propose, branch } };
      const found = await look(job);
      expect(found.url).toMatch(/^https:\/\/localhost:\d+\/team\/deploy\/-\/requests\/\d$/);
      expect(server.merges.filter((one) => one.provider === provider)).toEqual([
        { provider, project: 'team/deploy', from: branch, into: 'main', title: propose.title },
      ]);
      await server.git('team/deploy', ['fetch', '--quiet', 'origin', branch]);
      expect(await server.git('team/deploy', ['show', 'FETCH_HEAD:apps/shop/web.yaml'])).toBe(yaml(10));
      expect(await server.git('team/deploy', ['diff', '--name-status', 'main', 'FETCH_HEAD'])).toBe('M\tapps/shop/web.yaml\n');
      expect(await server.git('team/deploy', ['log', '-1', '--format=%an|%s', 'FETCH_HEAD'])).toBe(`meshops|${propose.title}\n`);
      // A worker that died after it had opened it begins again.
      expect((await look(job)).url).toBe(found.url);
      expect(server.merges.filter((one) => one.provider === provider)).toHaveLength(1);
    },
  );

  it('agrees once Git has it, read in a thread of its own', async () => {
    const apart = createGitApart();
    await server.create('team/agreed', { 'web.yaml': yaml(10) });
    const own = rule({ repository: `${server.url}/team/agreed.git`, folder: '' });
    expect(await apart.look({ rule: own, handed: [left] })).toMatchObject({ paths: [], patch: '', problems: [] });
    await expect(apart.look({ rule: rule({ repository: `${server.url}/team/none.git` }), handed: [left] })).rejects.toThrow(/404/);
    await apart.close();
  });

  it.each([
    ['a wrong token', { tokenFile: 'wrong' }, /401|cancel/i],
    ['no such branch', { branch: 'production' }, /production/],
    ['a CA that did not sign it', { caFile: undefined }, /self-signed|unable to (get|verify)/i],
    ['a token that is not there', { tokenFile: 'none' }, /ENOENT.*none/],
  ])('fails with the reason: %s', async (_, more, words) => {
    const path = 'tokenFile' in more ? { tokenFile: join(folder, more.tokenFile) } : more;
    await expect(look({ rule: rule(path), handed: [left] })).rejects.toThrow(words);
  });
});

describe('which rule counts', () => {
  const target = { cluster: 'prod', namespace: 'shop', name: 'web' };
  it('is the first that names the target, with its folder filled in', () => {
    const rules = [
      rule({ clusters: ['stage'] }),
      rule({ namespaces: ['shop'], folder: 'clusters/{cluster}/{namespace}/' }),
      rule({ folder: 'all' }),
    ];
    expect(handoverFor(rules, target)?.folder).toBe('clusters/prod/shop');
    expect(handoverFor(rules, { ...target, namespace: 'pay' })?.folder).toBe('all');
    expect(handoverFor([], target)).toBeUndefined();
  });

  it('needs a token for a pull request, and a provider that can be told', () => {
    const wrong = (more: object): string => HandoverRule.safeParse({ repository, ...more }).error?.issues[0]?.message ?? '';
    expect(wrong({ as: 'pull-request' })).toBe('A pull request needs `tokenFile`.');
    expect(wrong({ as: 'pull-request', tokenFile: 'x' })).toContain('Say `provider: github` or `gitlab`');
    expect(wrong({ repository: 'https://user:secret@github.com/a/b' })).toContain('without a user name or password');
    expect(wrong({ as: 'pull-request', tokenFile: 'x', repository: 'https://gitlab.example.com/a/b.git' })).toBe('');
  });
});
