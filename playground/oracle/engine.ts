import { spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { DirectionDecision } from '../../src/domain/policy/decision.ts';
import type { Direction } from '../../src/domain/policy/policy.ts';
import { cacheRoot, type Env } from '../cluster/cache.ts';
import type { OracleCase } from './cases.ts';

/** What Cilium's own engine says of one direction: layers 3 and 4, and whether a proxy comes next. */
interface Engines {
  readonly id: string;
  readonly egress?: { readonly l4: string; readonly proxy: boolean };
  readonly ingress?: { readonly l4: string; readonly proxy: boolean };
  /** Why it was not asked. */
  readonly skipped?: string;
}

export interface Agreement {
  /** Cases in which a policy speaks about one of the ends. */
  readonly cases: number;
  readonly agree: number;
  readonly disagree: readonly string[];
  readonly skipped: Readonly<Record<string, number>>;
}

const SOURCE = new URL('./engine/', import.meta.url);
const FILES = ['main.go', 'go.mod', 'go.sum'] as const;

/** Builds the program around Cilium's Go module, once for each version of its source: some minutes with empty caches. */
export function buildEngine(env: Env, tell: (line: string) => void): string {
  const digest = createHash('sha256');
  for (const file of FILES) digest.update(readFileSync(new URL(file, SOURCE)));
  const folder = join(cacheRoot(env), `oracle-engine-${digest.digest('hex').slice(0, 12)}`);
  const program = join(folder, 'engine');
  if (existsSync(program)) return program;
  mkdirSync(folder, { recursive: true });
  tell("building Cilium's policy engine");
  const part = `${program}.${process.pid}`;
  const built = spawnSync('go', ['build', '-o', part, '.'], { cwd: SOURCE, encoding: 'utf8', env: { ...env, GOFLAGS: '-buildvcs=false' } });
  if (built.status !== 0) throw new Error(`The engine was not built: ${built.stderr || String(built.error)}. Nothing was decided.`);
  renameSync(part, program);
  return program;
}

/** Lets the engine decide the cases, or a sample that is spread over all of them, and compares with what is expected. */
export async function askEngine(program: string, all: readonly OracleCase[], sample: number | undefined): Promise<Agreement> {
  const told = all.filter(({ expect }) => !expect.invalid?.length && (expect.egress?.selected || expect.ingress?.selected));
  const every = sample === undefined ? 1 : Math.max(1, Math.floor(told.length / sample));
  const cases = told.filter((_, index) => index % every === 0).slice(0, sample);
  const byId = new Map(cases.map((one) => [one.id, one]));
  const child = spawn(program, [], { stdio: ['pipe', 'pipe', 'inherit'] });
  child.stdin.end(cases.map((one) => `${JSON.stringify(one)}\n`).join(''));
  const disagree: string[] = [];
  const skipped: Record<string, number> = {};
  let answered = 0;
  for await (const line of createInterface({ input: child.stdout })) {
    const answer = JSON.parse(line) as Engines;
    const one = byId.get(answer.id);
    answered += 1;
    if (answer.skipped !== undefined) skipped[answer.skipped] = (skipped[answer.skipped] ?? 0) + 1;
    else if (one && DIRECTIONS.some((direction) => differs(one.expect[direction], answer[direction]))) disagree.push(answer.id);
  }
  if (answered !== cases.length) throw new Error(`The engine answered ${answered} of ${cases.length} cases.`);
  const unasked = Object.values(skipped).reduce((sum, count) => sum + count, 0);
  return { cases: cases.length, agree: cases.length - disagree.length - unasked, disagree, skipped };
}

const DIRECTIONS: readonly Direction[] = ['egress', 'ingress'];

function differs(expected: DirectionDecision | null, found: Engines[Direction]): boolean {
  if (!expected) return false;
  return !found || found.l4 !== expected.l4 || found.proxy !== (expected.l7 !== undefined);
}
