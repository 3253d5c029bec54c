import { spawn } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { whyNotReal } from '../playground/real/able.ts';

/**
 * `npm test`: format, lint, types, then the fast tier, chaos, and the tiers on the real stack. Ends with one line: `N passed, N failed`.
 * `npm test -- --fast` leaves the real stack out, `npm test -- --real` adds the tier on real Cilium nodes, which MESHOPS_REQUIRE_REAL=1 demands:
 * there a machine that cannot is a failure. Further words are passed on to vitest as filters.
 */
interface Tally {
  passed: number;
  failed: number;
  skipped: number;
}

const words = process.argv.slice(2);
const isFast = words.includes('--fast');
const isDemanded = process.env['MESHOPS_REQUIRE_REAL'] === '1';
const isReal = isDemanded || words.includes('--real');
const filters = words.filter((word) => word !== '--fast' && word !== '--real');
const root = new URL('..', import.meta.url);
const tally: Tally = { passed: 0, failed: 0, skipped: 0 };

/** Runs one command with its output shown; resolves with its exit code. The child gets our signals through the terminal's process group. */
function run(command: string, args: readonly string[]): Promise<number> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { cwd: root, stdio: 'inherit' });
    child.on('error', reject);
    child.on('exit', (code, signal) => resolve(signal ? 1 : (code ?? 1)));
  });
}

async function check(name: string, command: string, ...args: string[]): Promise<boolean> {
  const started = Date.now();
  const code = await run(command, args);
  tally[code === 0 ? 'passed' : 'failed'] += 1;
  console.log(`${code === 0 ? '✓' : '✗'} ${name} (${((Date.now() - started) / 1000).toFixed(1)} s)`);
  return code === 0;
}

interface VitestReport {
  readonly numPassedTests: number;
  readonly numFailedTests: number;
  readonly numPendingTests: number;
  readonly numFailedTestSuites: number;
  readonly success: boolean;
}

async function vitest(project: 'fast' | 'chaos' | 'stack' | 'e2e' | 'image' | 'real'): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'meshops-test-'));
  const report = join(folder, 'report.json');
  const started = Date.now();
  const code = await run('vitest', [
    'run',
    '--project',
    project,
    '--reporter=default',
    '--reporter=json',
    `--outputFile.json=${report}`,
    ...filters,
  ]);
  try {
    const { numPassedTests, numFailedTests, numPendingTests } = JSON.parse(await readFile(report, 'utf8')) as VitestReport;
    tally.passed += numPassedTests;
    tally.skipped += numPendingTests;
    // A file that does not load, or an error outside of any test, fails no test but does fail the run.
    tally.failed += Math.max(numFailedTests, code === 0 ? 0 : 1);
  } catch (error) {
    console.error(`vitest left no report: ${String(error)}`);
    tally.failed += 1;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
  console.log(`${code === 0 ? '✓' : '✗'} tier ${project} (${((Date.now() - started) / 1000).toFixed(1)} s)`);
}

if (filters.length === 0) {
  await check('format', 'biome', 'check', '--error-on-warnings', '.');
  await check('lint', 'oxlint', '--type-aware', '--deny-warnings');
  await check('types', 'tsc', '--noEmit');
  await check('types of the page', 'tsc', '-p', 'playground/slack/page');
}
await vitest('fast');
if (!isFast) await vitest('chaos');
// Built before any test needs it: with empty caches on a busy machine that takes longer than a test may wait.
if (!isFast && (await check('programs of the real stack', process.execPath, 'playground/cluster/prepare.ts', '--clients'))) {
  await vitest('stack');
  await vitest('e2e');
  await vitest('image');
}
if (!isFast) {
  const why = whyNotReal(process.env);
  if (!isReal) {
    console.log(`- tier real was not asked for (--real): ${why === undefined ? 'this machine can run it' : why}`);
  } else if (why !== undefined) {
    console.log(`${isDemanded ? '✗' : '-'} tier real is left out: ${why}`);
    tally[isDemanded ? 'failed' : 'skipped'] += 1;
  } else if (await check('programs of real nodes', process.execPath, 'playground/real/main.ts')) await vitest('real');
}
console.log(`${tally.passed} passed, ${tally.failed} failed${tally.skipped > 0 ? `, ${tally.skipped} skipped` : ''}`);
process.exitCode = tally.failed === 0 ? 0 : 1;
