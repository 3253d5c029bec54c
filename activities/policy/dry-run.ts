// A dry-run on what Hubble still holds: the reading, and how far back it goes.
import type { Candidate } from '../../src/domain/policy/change.ts';
import { type DryRun, dryRunSteps } from '../../src/domain/policy/dryrun/dry-run.ts';
import type { FlowContext } from '../../src/domain/policy/dryrun/flow.ts';
import { type ReadFlow, readRecorded } from '../../src/domain/policy/dryrun/recorded.ts';
import { parsePolicy } from '../../src/domain/policy/parse.ts';
import type { Flow } from '../clients/hubble/flow.ts';
import type { RingContents } from '../clients/hubble/ring.ts';
import type { SeenWorkload } from './seen/workload.ts';
import { unhurried } from './unhurried.ts';
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
  for (const flow of flows) yield readRecorded(flow);
}

/** What a reader must know before trusting the numbers: how far back the rings go, and what is missing. */
export function reachSentences({
  rings,
  windowMs,
  at,
}: Pick<Extract<Ran, { kind: 'ran' }>, 'rings' | 'windowMs' | 'at'>): readonly string[] {
  const minutes = (ms: number) => (ms < 90_000 ? `${Math.max(0, Math.round(ms / 1_000))} s` : `${Math.round(ms / 60_000)} min`);
  const { reachesTo, gaps, nodes, cut } = rings;
  const reach = reachesTo === undefined ? undefined : at - reachesTo;
  return [
    nodes === 0 ? 'No node of Hubble is known, so nothing was read.' : '',
    reach === undefined
      ? ''
      : reach < windowMs
        ? `The ring reaches back ${minutes(reach)}; ${minutes(windowMs)} were asked for.`
        : `The last ${minutes(windowMs)} were read.`,
    gaps.length > 0
      ? `Not read: ${gaps
          .slice(0, 5)
          .map(({ node, reason }) => `${node} (${reason})`)
          .join(', ')}.`
      : '',
    cut ? 'There were more flows than are read; some were left out.' : '',
  ].filter((words) => words !== '');
}
