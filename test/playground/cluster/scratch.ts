import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { onTestFinished } from 'vitest';

/** A folder that is gone after the test. */
export function scratch(): string {
  const dir = mkdtempSync(join(tmpdir(), 'meshops-test-'));
  // A warden that a test has left may still be writing its last words there.
  onTestFinished(() => rmSync(dir, { recursive: true, force: true, maxRetries: 20, retryDelay: 50 }));
  return dir;
}

/** An executable shell script. @returns its path */
export function script(path: string, body: string): string {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, `#!/bin/sh\n${body}\n`);
  chmodSync(path, 0o755);
  return path;
}

/** A folder of fake programs, for a PATH that holds these and nothing else (their shell is named absolutely). */
export function programs(dir: string, bodies: Readonly<Record<string, string>>): string {
  mkdirSync(dir, { recursive: true });
  for (const [name, body] of Object.entries(bodies)) script(join(dir, name), body);
  return dir;
}

export const never = new AbortController().signal;
