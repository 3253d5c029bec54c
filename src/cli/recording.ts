// A recording as the commands read it: opened once, counted, and asked first which cluster it is of.
import { createReadStream } from 'node:fs';
import { type FlowsRead, readFlows } from '../documents/flows/recording.ts';
import { clustersIn } from '../domain/policy/dryrun/cluster-name.ts';
import type { ReadFlow } from '../domain/policy/dryrun/recorded.ts';

/** So many are looked at for the name of the cluster before the first is decided. */
const MOST_AHEAD = 20_000;

export interface Tally {
  records: number;
  unreadable: number;
  /** Records that came as text for people, which has no labels. */
  texts: number;
  /** What was wrong with the first that could not be read. */
  firstWrong?: string;
}

export interface Recording {
  readonly tally: Tally;
  /** All flows, once. Rejects where the file breaks off. */
  readonly flows: AsyncIterable<readonly ReadFlow[]>;
  /** Undefined where no record has a pod: then it does not matter. */
  readonly clusterName: string | undefined;
}

interface Asked {
  /** A file; `-` is stdin. */
  readonly file: string;
  readonly stdin: AsyncIterable<Uint8Array>;
  readonly clusterName?: string | undefined;
  readonly signal: AbortSignal;
}

/** Rejects where it cannot be read at all; a problem is what has to be asked for. */
export async function openRecording({ file, stdin, clusterName, signal }: Asked): Promise<Recording | { readonly problem: string }> {
  const input: AsyncIterable<Uint8Array> = file === '-' ? stdin : createReadStream(file, { signal, highWaterMark: 1 << 20 });
  const batches = readFlows(input)[Symbol.asyncIterator]();
  const tally: Tally = { records: 0, unreadable: 0, texts: 0 };
  const ahead: ReadFlow[] = [];
  let name = clusterName;
  for (let seen = 0; name === undefined && ahead.length < MOST_AHEAD && seen < MOST_AHEAD; ) {
    const next = await batches.next();
    if (next.done) break;
    const batch = counted(next.value, tally);
    for (const one of batch) ahead.push(one);
    seen += batch.length;
    const cluster = clustersIn(ahead.flatMap((one) => (one.kind === 'flow' ? [one.flow] : [])));
    if (cluster.names.length > 1)
      return { problem: `${file}: it holds flows of several clusters (${cluster.names.join(', ')}): name one with --cluster-name.` };
    [name] = cluster.names;
    if (name === undefined && cluster.pods > 0 && ahead.length >= MOST_AHEAD) break;
  }
  const pods = clustersIn(ahead.flatMap((one) => (one.kind === 'flow' ? [one.flow] : []))).pods;
  if (name === undefined && pods > 0)
    return { problem: `${file}: no record names the cluster (label io.cilium.k8s.policy.cluster): name it with --cluster-name.` };
  return { tally, clusterName: name, flows: rest(ahead, batches, tally, signal) };
}

async function* rest(
  ahead: readonly ReadFlow[],
  batches: AsyncIterator<readonly FlowsRead[]>,
  tally: Tally,
  signal: AbortSignal,
): AsyncGenerator<readonly ReadFlow[]> {
  yield ahead;
  for (let next = await batches.next(); !next.done; next = await batches.next()) {
    signal.throwIfAborted();
    yield counted(next.value, tally);
  }
}

function counted(batch: readonly FlowsRead[], tally: Tally): readonly ReadFlow[] {
  for (const { flow, form } of batch) {
    if (flow.kind === 'flow') tally.records += 1;
    if (flow.kind === 'flow' && form === 'text') tally.texts += 1;
    if (flow.kind !== 'unreadable') continue;
    tally.unreadable += 1;
    tally.firstWrong ??= flow.words;
  }
  return batch.map(({ flow }) => flow);
}

/** What is wanted instead. */
export const WANTED_FORM = 'Record with `hubble observe -o jsonpb`: JSON has the labels by which policies decide';
