// A dry-run on what Hubble still holds: the reading, and how far back it goes.

import type { Flow } from '../../clients/hubble/flow.ts';
import type { RingContents } from '../../clients/hubble/ring.ts';
import type { Candidate } from '../../domain/policy/change.ts';
import { readDecoded } from '../../domain/policy/dryrun/decoded.ts';
import { type DryRun, dryRunSteps } from '../../domain/policy/dryrun/dry-run.ts';
import type { FlowContext } from '../../domain/policy/dryrun/flow.ts';
import type { ReadFlow } from '../../domain/policy/dryrun/recorded.ts';
import { parsePolicy } from '../../domain/policy/parse.ts';
import type { Refusal } from '../../domain/words/sentences.ts';
import { unhurried } from '../unhurried.ts';
import type { SeenWorkload } from './seen-workload.ts';
import { inForce, type World } from './world.ts';

export type Ran =
  | {
      readonly kind: 'ran';
      readonly run: DryRun;
      readonly rings: Omit<RingContents, 'flows'>;
      readonly windowMs: number;
      readonly at: number;
    }
  | { readonly kind: 'wrong'; readonly words: string };

export interface DryAsk {
  readonly candidate: Candidate;
  readonly world: World;
  readonly workload: Pick<SeenWorkload, 'pods'> | undefined;
  readonly contents: RingContents;
  readonly windowMs: number;
  readonly at: number;
}

/** Decides what was read, a few flows at a time: fuses fire on the same thread. */
export async function decideRecorded({ candidate, world, workload, contents, windowMs, at }: DryAsk, signal: AbortSignal): Promise<Ran> {
  const { clusterName, services } = world.compile;
  const parsed = parsePolicy(candidate.document, clusterName === undefined ? {} : { clusterName });
  if (!parsed.ok) return { kind: 'wrong', words: `Cilium would reject it: ${parsed.error}.` };
  const byAddress = new Map((workload?.pods ?? []).map(({ ip, namedPorts }) => [ip, namedPorts]));
  const context: FlowContext = { namedPorts: (address) => byAddress.get(address) };
  const { flows, ...rings } = contents;
  const work = dryRunSteps({
    flows: read(flows),
    inForce: inForce(world.documents, world.compile),
    candidate: parsed.policy,
    context,
    ...(clusterName === undefined ? {} : { clusterName }),
    ...(services === undefined ? {} : { services }),
  });
  const run = await unhurried(work, signal);
  return { kind: 'ran', run: { ...run, lost: run.lost + rings.lost }, rings, windowMs, at };
}

function* read(flows: readonly Flow[]): Generator<ReadFlow> {
  const ends = new WeakMap();
  for (const flow of flows) yield readDecoded(flow, ends);
}

type Reach = Pick<Extract<Ran, { kind: 'ran' }>, 'rings' | 'windowMs' | 'at'>;

/** How far back all rings go (ms), where that is less than was asked for. */
function shortReach({ rings: { reachesTo }, windowMs, at }: Reach): number | undefined {
  const reach = reachesTo === undefined ? windowMs : at - reachesTo;
  return reach < windowMs ? Math.max(0, reach) : undefined;
}

/** `43 s`, `7 min`. */
function lengthWords(ms: number): string {
  return ms < 90_000 ? `${Math.max(0, Math.round(ms / 1_000))} s` : `${Math.round(ms / 60_000)} min`;
}

/** Why a window that somebody named is not read in part: an answer about half of it would be taken for one about all. */
export function shortMemory(reach: Reach): Refusal | undefined {
  const ms = shortReach(reach);
  if (ms === undefined) return undefined;
  const { shortest } = reach.rings;
  const full = shortest ? ` (${shortest.node} has room for ${shortest.flows} flows)` : '';
  return { code: 'ShortMemory', parameters: { asked: lengthWords(reach.windowMs), reach: lengthWords(ms), full } };
}

/** What a reader must know before trusting the numbers: how far back the rings go, and what is missing. */
export function reachSentences({ rings, windowMs, at }: Reach): readonly string[] {
  const { reachesTo, gaps, nodes, cut, shortest } = rings;
  const reach = shortReach({ rings, windowMs, at });
  const full = shortest ? `: ${shortest.node} has room for ${shortest.flows} flows` : '';
  return [
    nodes === 0 ? 'No node of Hubble is known, so nothing was read.' : '',
    reachesTo === undefined
      ? ''
      : reach === undefined
        ? `The last ${lengthWords(windowMs)} were read.`
        : `Only the last ${lengthWords(reach)} were read of ${lengthWords(windowMs)}, since Hubble remembers no more${full}.`,
    gaps.length > 0
      ? `Not read: ${gaps
          .slice(0, 5)
          .map(({ node, reason }) => `${node} (${reason})`)
          .join(', ')}.`
      : '',
    cut ? 'There were more flows than are read; some were left out.' : '',
  ].filter((words) => words !== '');
}
