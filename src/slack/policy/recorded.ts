import { setImmediate as breathe } from 'node:timers/promises';
import type { Flow } from '../../clients/hubble/flow.ts';
import { type ReadFlow, readRecorded } from '../../domain/policy/dryrun/recorded.ts';

/** Checking a record takes some 50 µs: between pieces of this many, other requests get their turn. */
const AT_ONCE = 400;

/** Flows as an agent sent them, checked. */
export async function checkedFlows(flows: readonly Flow[]): Promise<readonly ReadFlow[]> {
  const read: ReadFlow[] = [];
  for (const flow of flows) {
    read.push(readRecorded(flow));
    if (read.length % AT_ONCE === 0) await breathe();
  }
  return read;
}
