import { setImmediate as turn } from 'node:timers/promises';
import { EVERYTHING, type Flows } from '../../src/clients/hubble/flows.ts';
import type { FlowFollower } from '../../src/clients/hubble/stream-listener.ts';
import type { Cluster } from '../../src/clients/kubernetes/cluster.ts';
import { changedBy, EncryptionDetails } from '../../src/domain/encryption/details.ts';
import { proofOf } from '../../src/domain/encryption/evidence.ts';
import { createEncryptionJudge, type EncryptionJudgeSettings } from '../../src/domain/encryption/judge.ts';
import { ENCRYPTS_WITHIN_MS, type Reading, readEncryption, SETTLING_MS } from '../../src/domain/encryption/reading.ts';
import type { WatchInput } from '../../src/domain/lifecycle/contract.ts';
import type { Log } from '../../src/log.ts';
import { readEncryptionFacts } from '../../src/reading/nodes/encryption.ts';
import { Carriers } from '../watch/carriers.ts';
import { type Absence, expecting } from '../watch/expected.ts';
import type { Hear, OpenOptions, Watching } from '../watch/watching.ts';
import { again } from './again.ts';
import { followHomes, type Homes } from './homes.ts';
import { createTrafficReader, type TrafficReader } from './traffic.ts';

export interface EvidenceDeps {
  readonly cluster: Cluster;
  readonly flows: Flows;
  readonly now: () => number;
  readonly log: Log;
}

/** How often agents and their objects are read at most while a proof is waited for (ms). */
const LOOK_MS = 1_000;
/** Where people are told that a proof cannot be looked for. */
const AGENTS = 'agents and their objects';
const OVERDUE_MS = 200;
/** What was seen before the stage says which kinds of connections come to their end: so far back (ms). */
const LEARN_MS = 60_000;
/** Turning off loses what is sent between a node and others for so long after its agent has started, with a margin (docs/encryption.md). */
const OFF_GAP_MS = 6_000;

/** A change of encryption is watched by the connections between nodes, and by what agents publish. */
export function encryptionWatching(deps: EvidenceDeps): Watching {
  return {
    judge: (input, startedAt, resumed) => createEncryptionJudge(settingsOf(input, startedAt), resumed, input.evidence?.carried),
    open: (input, hear, options) => openEvidence(deps, input, hear, options),
  };
}

function settingsOf(input: WatchInput, startedAt: number): EncryptionJudgeSettings {
  const { plan, settings, alpha, durationMs, stage, purpose, evidence } = input;
  const details = EncryptionDetails.parse(plan.details);
  const isRestored = purpose === 'restored';
  return {
    objective: settings.objective,
    alpha,
    durationMs,
    ...(evidence && !isRestored && { planned: evidence.planned, watch: evidence.watch }),
    stage: stage.number,
    startedAt,
    // Nobody draws which nodes send to which: there is no control that could be compared.
    split: false,
    slo: 'absolute',
    minRequests: settings.minRequests,
    canaryService: '',
    exposure: isRestored ? 1 : stage.exposure,
    change: details.change,
    asks: purpose === 'stage' && input.applying !== true && input.guardMs === undefined && stage.number < details.endStage,
    patientUntil: startedAt + durationMs + SETTLING_MS + 20_000,
  };
}

async function openEvidence(deps: EvidenceDeps, input: WatchInput, heard: Hear, options: OpenOptions): Promise<void> {
  const { since, signal } = options;
  const details = EncryptionDetails.parse(input.plan.details);
  const { number } = input.stage;
  const own = details.nodes[number] ?? [];
  const changed = new Set(changedBy(details, number));
  let reading: Reading | undefined;
  let unread = false;
  const hear = expecting(heard, () => absencesOf(input, own, { since, details }));
  const homes = await followHomes(deps, heard, signal);
  const readyAt = (node: string): number | undefined => reading?.facts.nodes.find(({ name }) => name === node)?.agent?.readyAt;
  const reader = createTrafficReader({
    nodeOf: (address, identity) => homes.nodeOf(address, identity),
    isChanged: (node) => input.purpose === 'restored' || changed.has(node),
    isExpected: (node, at) =>
      details.change === 'off' && own.includes(node) && (input.applying === true || at < (readyAt(node) ?? 0) + OFF_GAP_MS),
    from: since,
    proves: (from, to, at) =>
      [from, to].every((node) => !changed.has(node) || at >= (readyAt(node) ?? Number.POSITIVE_INFINITY) + ENCRYPTS_WITHIN_MS),
  });
  await followTraffic(deps, { ...options, reader, homes }, hear);
  const look = async (): Promise<void> => {
    reading = readEncryption(await readEncryptionFacts(deps.cluster, input.target.cluster, deps.now(), signal));
    const configuredAt = reading.facts.overrides.find(({ name }) => name.endsWith(input.opId))?.changedAt;
    const { traffic, expected } = reader;
    hear(proofOf({ details, stage: number, reading, traffic, expected, ...(configuredAt !== undefined && { configuredAt }) }));
    if (unread) hear({ kind: 'sight', at: deps.now(), node: AGENTS });
    unread = false;
  };
  if (input.purpose !== 'stage' || input.applying) return;
  // What was proved before says nothing of now.
  const failed = (error: unknown): void => {
    if (!unread) hear({ kind: 'gap', at: deps.now(), node: AGENTS, reason: error instanceof Error ? error.message : String(error) });
    unread = true;
  };
  // Of hundreds of nodes it is hundreds of pages: half of the time the API server has its rest.
  again((tookMs) => Math.max(LOOK_MS, tookMs), signal, look, failed);
}

/** While agents are replaced their nodes are out of sight by our own doing, each for as long as an agent may take. */
function absencesOf(
  { applying }: WatchInput,
  own: readonly string[],
  { since, details }: { readonly since: number; readonly details: EncryptionDetails },
): readonly Absence[] {
  const { agentMs, mostAway } = details;
  const until = since + (applying ? Math.ceil(own.length / mostAway) * agentMs : OFF_GAP_MS);
  return own.map((node) => ({ node, until }));
}

interface Following extends OpenOptions {
  readonly reader: TrafficReader;
  readonly homes: Homes;
}

async function followTraffic(
  { flows, now }: EvidenceDeps,
  { reader, homes, since, signal, remarks }: Following,
  hear: Hear,
): Promise<void> {
  const carriers = new Carriers({ hear, now });
  // Pods of every node may have sent something, however long a node was quiet.
  carriers.endpoints('', homes.nodes);
  remarks?.(() => [carriers.unseen(now()), homes.unplaced()].filter((words) => words !== undefined).join('; ') || undefined);
  const live: FlowFollower = {
    traces: true,
    answers: true,
    flow(flow, node, seenAt) {
      const event = reader.read(flow, node, seenAt);
      if (event) hear(event);
    },
    gap(node, at, reason, lost, patienceMs) {
      reader.lost(node);
      carriers.gap({ kind: 'gap', at, node, reason, ...(lost !== undefined && { lost }), ...(patienceMs !== undefined && { patienceMs }) });
    },
    sight(node, at) {
      reader.seen(node);
      carriers.sight(node, at);
    },
  };
  flows.follow([EVERYTHING], live, signal);
  again(
    () => OVERDUE_MS,
    signal,
    async () => {
      carriers.endpoints('', homes.nodes);
      // What has come while this process was away is read first: timers run before sockets are read.
      await turn();
      for (const event of reader.overdue(now())) hear(event);
    },
  );
  const before: FlowFollower = { ...live, flow: (flow, node) => reader.learn(flow, node), gap: () => undefined, sight: () => undefined };
  await flows.replay(homes.namespaces, since - LEARN_MS, before, signal);
}
