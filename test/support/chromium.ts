import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { type Browser, chromium } from 'playwright-core';

const USUAL = '/usr/bin/chromium';
const FLAGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

/** Debian's Chromium: found, or installed where that is possible (root on Debian); undefined elsewhere, and why is printed. */
export function chromiumPath(): string | undefined {
  const named = process.env['CHROMIUM'];
  if (named) return named;
  if (existsSync(USUAL)) return USUAL;
  if (process.getuid?.() !== 0 || !existsSync('/usr/bin/apt-get')) {
    console.warn('No Chromium: the page is not tested in a browser. Install it, or set CHROMIUM.');
    return undefined;
  }
  for (const words of [['update'], ['install', '-y', '--no-install-recommends', 'chromium']]) {
    spawnSync('apt-get', words, { stdio: 'ignore', env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' } });
  }
  return existsSync(USUAL) ? USUAL : undefined;
}

export function openBrowser(path: string): Promise<Browser> {
  return chromium.launch({ executablePath: path, headless: true, args: FLAGS });
}
