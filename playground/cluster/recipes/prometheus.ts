import { readFileSync } from 'node:fs';
import { cp, mkdir, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { commandFailure, run } from '../command.ts';
import { StackFailure } from '../failure.ts';
import type { Kitchen, Recipe } from './recipe.ts';

const ARCHIVE = 'the Debian package archive';
const INSTEAD = 'Install Prometheus so that prometheus and promtool are in PATH, or set PROMETHEUS and PROMTOOL, then start again.';

/** `debian-12`, `ubuntu-24.04`: whose package it is. "unknown" where there is no os-release, which apt will answer for. */
export function distribution(osRelease: string): string {
  const field = (name: string): string | undefined => new RegExp(`^${name}="?([^"\\n]*)"?$`, 'm').exec(osRelease)?.[1];
  return `${field('ID') ?? 'unknown'}-${field('VERSION_ID') ?? 'rolling'}`;
}

function osRelease(): string {
  try {
    return readFileSync('/etc/os-release', 'utf8');
  } catch {
    // Optional by os-release(5); only a name in the cache hangs on it.
    return '';
  }
}

function program(name: string, args: readonly string[], kitchen: Kitchen, cwd: string) {
  return run({ program: name, args, env: { ...kitchen.env, LC_ALL: 'C' }, signal: kitchen.signal, cwd });
}

/** Package lists and caches in a folder of ours: needs no root and leaves the system's lists alone. */
async function privateApt(staging: string): Promise<readonly string[]> {
  const state = join(staging, 'apt');
  await mkdir(join(state, 'lists/partial'), { recursive: true });
  await mkdir(join(state, 'cache/archives/partial'), { recursive: true });
  const options = [
    `Dir::State=${state}`,
    `Dir::State::lists=${state}/lists`,
    `Dir::Cache=${state}/cache`,
    'Dir::State::status=/var/lib/dpkg/status',
  ];
  // As root apt would hand the download to the user _apt, who may not write here.
  return [...options, 'APT::Sandbox::User=root', 'Debug::NoLocking=true'].flatMap((option) => ['-o', option]);
}

async function download(staging: string, kitchen: Kitchen): Promise<void> {
  kitchen.say('downloading the package');
  const first = await program('apt-get', ['-o', 'APT::Sandbox::User=root', 'download', 'prometheus'], kitchen, staging);
  if (first.code === 'missing') {
    throw new StackFailure('missing-tool', `Prometheus is not installed, and without apt-get it cannot be fetched here. ${INSTEAD}`);
  }
  if (first.code === 0) return;
  kitchen.say('reading the package lists');
  const options = await privateApt(staging);
  const update = await program('apt-get', [...options, 'update'], kitchen, staging);
  const second = await program('apt-get', [...options, 'download', 'prometheus'], kitchen, staging);
  if (second.code !== 0) throw commandFailure('Prometheus', ARCHIVE, { ...second, tail: `${update.tail}\n${second.tail}\n${INSTEAD}` });
}

/** The distribution's package `prometheus`, unpacked without root; its two programs need nothing but libc. */
export const prometheus: Recipe = {
  title: 'prometheus',
  entry: `prometheus-${distribution(osRelease())}`,
  files: ['prometheus', 'promtool'],
  verb: 'unpacked',
  fill: async (staging, kitchen) => {
    await download(staging, kitchen);
    const packages = (await readdir(staging)).filter((name) => name.endsWith('.deb'));
    for (const name of packages) {
      const unpacked = await program('dpkg-deb', ['-x', name, 'package'], kitchen, staging);
      if (unpacked.code !== 0) throw commandFailure('Prometheus', ARCHIVE, unpacked);
    }
    for (const name of ['prometheus', 'promtool']) await cp(join(staging, 'package/usr/bin', name), join(staging, name));
    await Promise.all(['package', 'apt', ...packages].map((name) => rm(join(staging, name), { recursive: true, force: true })));
  },
};
