import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, expect, it } from 'vitest';

const MAIN = new URL('../../src/main.ts', import.meta.url).pathname;
const FILES = 600;

let dir = '';
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'full-pipe-'));
});
afterEach(() => rmSync(dir, { recursive: true }));

it('prints every line to a reader that begins to read late', async () => {
  const files = Array.from({ length: FILES }, (_, index) => {
    const file = join(dir, `policy-with-a-name-that-fills-the-pipe-${'x'.repeat(150)}-${index}.yaml`);
    writeFileSync(
      file,
      'apiVersion: cilium.io/v2\nkind: CiliumNetworkPolicy\nmetadata: {name: a}\nspec: {endpointSelector: {}, ingress: []}\n',
    );
    return file;
  });
  const child = spawn(process.execPath, [MAIN, 'policy', 'check', '--json', ...files], { stdio: ['ignore', 'pipe', 'inherit'] });
  const closed = once(child, 'close');
  // Nobody reads: a program that ends now takes along what its pipe did not hold.
  await Promise.race([once(child, 'exit'), sleep(3_000)]);
  let text = '';
  for await (const chunk of child.stdout.setEncoding('utf8')) text += chunk;
  await closed;
  expect(text.length).toBeGreaterThan(300_000);
  const last = text.trim().split('\n').at(-1) ?? '';
  expect(() => JSON.parse(last)).not.toThrow();
  expect(new Set(text.match(/-(\d+)\.yaml/g)).size).toBe(FILES);
}, 60_000);
