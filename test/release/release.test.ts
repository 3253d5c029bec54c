import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { pathOf } from '../manifests/files.ts';

/** release.sh in a repository of its own, with the files that carry a version. */
const FILES = [
  'release/release.sh',
  'package.json',
  'package-lock.json',
  'Dockerfile',
  'docker-compose.yml',
  'CHANGELOG.md',
  'charts/meshops/Chart.yaml',
  'manifests/base/bot.yaml',
  'manifests/base/worker.yaml',
];
let dir: string;

function git(...args: readonly string[]): string {
  return execFileSync('git', ['-c', 'user.name=t', '-c', 'user.email=t@example.com', ...args], { cwd: dir, encoding: 'utf8' });
}
const text = (path: string): string => readFileSync(join(dir, path), 'utf8');

function release(args: readonly string[], env: Readonly<Record<string, string>> = {}): { readonly code: number; readonly said: string } {
  try {
    const said = execFileSync('bash', ['release/release.sh', ...args], {
      cwd: dir,
      encoding: 'utf8',
      stdio: 'pipe',
      env: { PATH: process.env['PATH'] ?? '', ...env },
    });
    return { code: 0, said };
  } catch (error) {
    const { status, stderr } = error as { readonly status: number; readonly stderr: string };
    return { code: status, said: stderr };
  }
}

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'meshops-release-'));
  for (const path of FILES) {
    mkdirSync(dirname(join(dir, path)), { recursive: true });
    cpSync(pathOf(path), join(dir, path));
  }
  writeFileSync(join(dir, 'CHANGELOG.md'), '# Changes\n\n## Unreleased\n\n- Something.\n\n## 0.1.0, 2026-01-01\n\n- All of it.\n');
  git('init', '--quiet');
  git('add', '--all');
  git('commit', '--quiet', '--message', 'begun');
});

afterEach(() => rmSync(dir, { recursive: true, force: true }));

describe('release.sh prepare', () => {
  it('writes the version wherever it stands, and the heading of the changes', () => {
    expect(release(['prepare', '7.8.9'])).toMatchObject({ code: 0 });
    expect(JSON.parse(text('package.json'))).toMatchObject({ version: '7.8.9' });
    const lock = JSON.parse(text('package-lock.json')) as {
      readonly version: string;
      readonly packages: Record<string, { version: string }>;
    };
    expect([lock.version, lock.packages['']?.version]).toEqual(['7.8.9', '7.8.9']);
    expect(text('charts/meshops/Chart.yaml')).toMatch(/^version: 7\.8\.9\nappVersion: 7\.8\.9$/m);
    for (const path of ['docker-compose.yml', 'manifests/base/bot.yaml', 'manifests/base/worker.yaml'])
      expect(text(path)).toContain('image: meshops:7.8.9\n');
    expect(text('CHANGELOG.md')).toMatch(/## Unreleased\n\n## 7\.8\.9, \d{4}-\d\d-\d\d\n\n- Something\./);
    // Nothing else: a version of some package that happens to be the same stays.
    const changed = git('diff', '--numstat').trim().split('\n');
    expect(changed.map((line) => Number(line.split('\t')[0])).reduce((sum, lines) => sum + lines, 0)).toBe(10);
  });

  it('refuses what is no version, and a release of nothing', () => {
    expect(release(['prepare', 'next'])).toEqual({ code: 1, said: 'release: write the new version as 1.2.3, not "next".\n' });
    writeFileSync(join(dir, 'CHANGELOG.md'), '# Changes\n\n## Unreleased\n\n## 0.1.0, 2026-01-01\n\n- All of it.\n');
    expect(release(['prepare', '7.8.9']).said).toContain('nothing stands under');
  });
});

describe('release.sh publish', () => {
  const publish = (env = {}) => release(['publish', 'registry.example.com/meshops'], { DRY_RUN: '1', ...env });

  it('builds upon a pinned base, pushes, signs and tags one digest', () => {
    release(['prepare', '7.8.9']);
    git('commit', '--quiet', '--all', '--message', 'Version 7.8.9');
    const { code, said } = publish({ COSIGN: '1' });
    expect(code).toBe(0);
    expect(said).toMatch(/docker buildx build .*NODE_IMAGE=node:24-slim@sha256:.* --tag registry\.example\.com\/meshops:7\.8\.9 --push \./);
    expect(said).toMatch(/cosign sign --yes registry\.example\.com\/meshops@sha256:/);
    expect(said).toMatch(/git tag --annotate v7\.8\.9/);
    expect(git('tag')).toBe('');
  });

  it('refuses changes that are not committed, a version without a heading, and a tag that exists', () => {
    release(['prepare', '7.8.9']);
    expect(publish().said).toContain('not committed');
    git('commit', '--quiet', '--all', '--message', 'Version 7.8.9');
    git('tag', 'v7.8.9');
    expect(publish().said).toContain('exists already');
    writeFileSync(join(dir, 'CHANGELOG.md'), '# Changes\n');
    git('commit', '--quiet', '--all', '--message', 'no heading');
    git('tag', '--delete', 'v7.8.9');
    expect(publish().said).toContain('no heading for 7.8.9');
  });
});
