import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isDeepStrictEqual, promisify } from 'node:util';
import type { Verdict } from '../../../src/domain/judge/verdict.ts';
import { must, type Scenario } from '../scenario.ts';
import { CANARY, type Scene } from '../scene.ts';
import { approvedCanary } from './canary.ts';

/** Stories of what is left behind: a verdict can be looked at again, event by event. */

const MAIN = new URL('../../../src/main.ts', import.meta.url).pathname;

/** Runs the product's own command line as an operator would, on the rig's database. */
async function meshops(scene: Scene, ...words: readonly string[]): Promise<string> {
  const env = { ...process.env, DATABASE_URL: `sqlite:${scene.rig.database}` };
  const { stdout } = await promisify(execFile)(process.execPath, [MAIN, ...words], { env, maxBuffer: 64 * 2 ** 20 });
  return stdout;
}

interface Line {
  readonly number?: number;
  readonly verdict?: Verdict;
  readonly conclusion?: Verdict;
  readonly unheard?: number;
}

async function replayed(scene: Scene, text: string): Promise<readonly Line[]> {
  const folder = await mkdtemp(join(tmpdir(), 'meshops-record-'));
  try {
    const file = join(folder, 'events.jsonl');
    await writeFile(file, text);
    const lines = (await meshops(scene, 'judge', 'replay', '--json', file)).trim().split('\n');
    return lines.map((line) => JSON.parse(line) as Line);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

export const recordedStories: readonly Scenario[] = [
  {
    name: 'canary-recorded',
    story: 'a canary fails and is rolled back; its watch, exported and replayed, gives the same verdict at the same event',
    play: async (scene) => {
      const operation = await approvedCanary(scene, '/mesh canary backend 10% --soak 60s');
      await scene.wait(500 + scene.random() * 1_500);
      scene.break(({ cilium }) => cilium.faults.errorRate(CANARY, 0.5));
      const outcome = await operation.result();
      must(outcome.kind === 'rolled-back', `the outcome is ${outcome.kind}: ${outcome.words}`);
      const text = await meshops(scene, 'judge', 'export', operation.opId);
      const lines = await replayed(scene, text);
      const last = lines.at(-1);
      const spoke = lines.findIndex(({ verdict }) => verdict !== undefined);
      must(isDeepStrictEqual(last?.conclusion, outcome.verdict), `the replay says ${JSON.stringify(last?.conclusion)}`);
      must(spoke === lines.length - 2 && last?.unheard === 0, 'the verdict did not come at the last event that the live judge heard');
      return { operation, extra: { events: lines.length - 1, exportedBytes: text.length, replayedAt: lines[spoke]?.number ?? 0 } };
    },
  },
];
