import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { cacheRoot, fillOnce } from '../../../playground/cluster/cache.ts';
import { never, scratch } from './scratch.ts';

const options = { signal: never, waiting: () => undefined };
const entryIn = (root: string) => ({ root, name: 'thing-1.0', files: ['thing'] });
const fill = (content: string) => (staging: string) => writeFile(join(staging, 'thing'), content);

test('the cache is where MESHOPS_CACHE, XDG_CACHE_HOME or the home folder say, in this order', () => {
  expect(cacheRoot({ MESHOPS_CACHE: '/a', XDG_CACHE_HOME: '/b', HOME: '/c' })).toBe('/a/meshops');
  expect(cacheRoot({ MESHOPS_CACHE: '', XDG_CACHE_HOME: '/b', HOME: '/c' })).toBe('/b/meshops');
  expect(cacheRoot({ HOME: '/c' })).toBe('/c/.cache/meshops');
});

test('an entry is filled once and then used', async () => {
  const entry = entryIn(scratch());
  expect(await fillOnce(entry, fill('first'), options)).toEqual({ folder: join(entry.root, entry.name), filled: true });
  expect(await fillOnce(entry, fill('second'), options)).toMatchObject({ filled: false });
  expect(readFileSync(join(entry.root, entry.name, 'thing'), 'utf8')).toBe('first');
  expect(readdirSync(entry.root)).toEqual(['thing-1.0']);
});

test('a fill that fails leaves nothing behind, and the next one succeeds', async () => {
  const entry = entryIn(scratch());
  const broken = async (staging: string): Promise<void> => {
    await fill('half')(staging);
    throw new Error('the cable was pulled');
  };
  await expect(fillOnce(entry, broken, options)).rejects.toThrow('the cable was pulled');
  expect(readdirSync(entry.root)).toEqual([]);
  expect(await fillOnce(entry, fill('whole'), options)).toMatchObject({ filled: true });
});

test('what a killed start left half-filled, with its lock, is cleared and made anew', async () => {
  const entry = entryIn(scratch());
  const half = join(entry.root, '.thing-1.0.part-999999');
  mkdirSync(half);
  writeFileSync(join(half, 'thing'), 'hal');
  writeFileSync(join(entry.root, '.thing-1.0.lock'), '999999 123 some-boot\n');
  await fillOnce(entry, fill('whole'), options);
  expect(readdirSync(entry.root)).toEqual(['thing-1.0']);
});

test('a lock that was cut off while being written does not hold for ever', async () => {
  const entry = entryIn(scratch());
  writeFileSync(join(entry.root, '.thing-1.0.lock'), '');
  expect(await fillOnce(entry, fill('whole'), options)).toMatchObject({ filled: true });
});

test('an entry whose file was deleted is made anew', async () => {
  const entry = entryIn(scratch());
  mkdirSync(join(entry.root, entry.name));
  writeFileSync(join(entry.root, entry.name, 'something-else'), '');
  expect(await fillOnce(entry, fill('whole'), options)).toMatchObject({ filled: true });
  expect(readdirSync(join(entry.root, entry.name))).toEqual(['thing']);
});

test('of many starts at once one fills and the others wait for it', async () => {
  const entry = entryIn(scratch());
  let fills = 0;
  const slow = async (staging: string): Promise<void> => {
    fills++;
    await sleep(50);
    await fill('whole')(staging);
  };
  const results = await Promise.all(Array.from({ length: 8 }, () => fillOnce(entry, slow, options)));
  expect(fills).toBe(1);
  expect(results.filter((result) => result.filled)).toHaveLength(1);
});

test('waiting for another start ends by the signal', async () => {
  const entry = entryIn(scratch());
  const holder = Promise.withResolvers<void>();
  const filling = Promise.withResolvers<void>();
  const fillLate = async (staging: string): Promise<void> => {
    filling.resolve();
    await holder.promise;
    await fill('whole')(staging);
  };
  const held = fillOnce(entry, fillLate, options);
  await filling.promise;
  const abort = new AbortController();
  const waiting = fillOnce(entry, fill('other'), { signal: abort.signal, waiting: () => abort.abort(new Error('enough')) });
  await expect(waiting).rejects.toThrow('enough');
  holder.resolve();
  await held;
  expect(existsSync(join(entry.root, '.thing-1.0.lock'))).toBe(false);
});
