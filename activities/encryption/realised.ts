import { setTimeout as sleep } from 'node:timers/promises';
import { undone } from '../../src/domain/encryption/evidence.ts';
import type { Mode } from '../../src/domain/encryption/mode.ts';
import { wantedBy } from '../../src/domain/encryption/mode.ts';
import { readEncryption } from '../../src/domain/encryption/reading.ts';
import { listed } from '../../src/domain/encryption/refusals.ts';
import type { RealisedInput, RealisedResult } from '../../src/domain/lifecycle/contract.ts';
import type { PlannedStage } from '../../src/domain/lifecycle/plan.ts';
import { readEncryptionFacts } from '../../src/reading/nodes/encryption.ts';
import type { NodeConfig } from '../../src/reading/nodes/objects.ts';
import type { VerbDeps } from '../watch/verb-steps.ts';

const LOOK_MS = 500;
const LONGEST_PAUSE_MS = 3_000;

/**
 * In force as far as agents say: each node that was told has its agent back, its key published or taken away, and all its pods with it. What is
 * true on the wire comes seconds later; the watch waits for that.
 */
export async function realised(deps: VerbDeps, { stage, timeoutMs }: RealisedInput, signal: AbortSignal): Promise<RealisedResult> {
  const startedAt = deps.now();
  const nodes = stage.writes.flatMap(({ kind, successor }) => (kind === 'replace' && successor ? [successor.nodeName] : []));
  if (nodes.length === 0) return { kind: 'realised', afterMs: 0 };
  const wanted = await wantedOf(deps, stage, signal);
  for (let pause = LOOK_MS; ; pause = Math.min(pause * 1.3, LONGEST_PAUSE_MS)) {
    const reading = readEncryption(await readEncryptionFacts(deps.cluster, '', deps.now(), signal));
    const open = undone(reading, nodes, wanted);
    if (open.length === 0) return { kind: 'realised', afterMs: deps.now() - startedAt };
    if (deps.now() - startedAt + pause > timeoutMs) {
      return { kind: 'not-realised', words: `${listed(open)}, ${timeoutMs / 1_000} s after all of its stage were told.` };
    }
    await sleep(pause, undefined, { signal });
  }
}

/** What the stage's CiliumNodeConfig tells. */
async function wantedOf({ cluster }: VerbDeps, { writes }: PlannedStage, signal: AbortSignal): Promise<Mode> {
  const told = writes.find(({ object }) => object.kind === 'CiliumNodeConfig');
  const config = told && (await cluster.read<NodeConfig>(told.object, { signal }));
  const { mode } = wantedBy(config?.spec.defaults ?? {});
  return mode === 'both' ? 'off' : mode;
}
