import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { pathOf, textOf } from './files.ts';

/** Pages of the repository, as git has them or would take them. */
const pages = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard', '*.md'], { cwd: pathOf(''), encoding: 'utf8' })
  .trim()
  .split('\n')
  .filter((path) => existsSync(pathOf(path)));

/** GitHub's name for a heading. */
function anchorOf(heading: string): string {
  return heading
    .toLowerCase()
    .replace(/[^\p{L}\p{N} _-]/gu, '')
    .replaceAll(' ', '-');
}

function anchorsOf(path: string): readonly string[] {
  return [...textOf(path).matchAll(/^#+ (.+)$/gm)].map(([, heading = '']) => anchorOf(heading));
}

describe.each(pages)('%s', (page) => {
  it('links only to what is there', () => {
    const links = [...textOf(page).matchAll(/\]\((?!https?:)([^)\s]+)\)/g)].map(([, link = '']) => link);
    for (const link of links) {
      const [path = '', anchor] = link.split('#');
      const target = path === '' ? page : join(dirname(page), path);
      expect(existsSync(pathOf(target)), `${link} in ${page}`).toBe(true);
      if (anchor !== undefined && target.endsWith('.md')) expect(anchorsOf(target), `${link} in ${page}`).toContain(anchor);
    }
  });
});
