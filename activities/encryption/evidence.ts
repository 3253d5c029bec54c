import type { Flows } from '../../src/clients/hubble/flows.ts';
import type { Cluster } from '../../src/clients/kubernetes/cluster.ts';
import { changedBy, EncryptionDetails } from '../../src/domain/encryption/details.ts';
import { proofOf } from '../../src/domain/encryption/evidence.ts';
import { createEncryptionJudge, type EncryptionJudgeSettings } from '../../src/domain/encryption/judge.ts';
import { ENCRYPTS_WITHIN_MS, type Reading, readEncryption, SETTLING_MS } from '../../src/domain/encryption/reading.ts';
import type { WatchInput } from '../../src/domain/lifecycle/contract.ts';
import type { Log } from '../../src/log.ts';
import { readEncryptionFacts } from '../../src/reading/nodes/encryption.ts';
import { type Absence, expecting } from '../watch/expected.ts';
import type { Hear, OpenOptions, Watching } from '../watch/watching.ts';
import { again } from './again.ts';
import { followTraffic } from './follow-traffic.ts';
import { followHomes } from './homes.ts';
import { createTrafficReader, UNTOLD_MS } from './traffic.ts';

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
  const { since, resumed, signal } = options;
  const from = resumed ? since - UNTOLD_MS : since;
  const details = EncryptionDetails.parse(input.plan.details);
  const { number } = input.stage;
  const own = details.nodes[number] ?? [];
  const changed = new Set(changedBy(details, number));
  let readyAt: ReadonlyMap<string, number | undefined> = new Map();
  let unread = false;
  const hear = expecting(heard, () => absencesOf(input, own, { since, resumed, details }));
  const homes = await followHomes(deps, heard, signal);
  const reader = createTrafficReader({
    nodeOf: (address, identity) => homes.nodeOf(address, identity),
    isChanged: (node) => input.purpose === 'restored' || changed.has(node),
    isExpected: (node, at) =>
      details.change === 'off' && own.includes(node) && (input.applying === true || at < (readyAt.get(node) ?? 0) + OFF_GAP_MS),
    from,
    heardTo: resumed ? since : undefined,
    proves: (from, to, at) =>
      [from, to].every((node) => !changed.has(node) || at >= (readyAt.get(node) ?? Number.POSITIVE_INFINITY) + ENCRYPTS_WITHIN_MS),
  });
  const look = async (): Promise<Reading> => {
    const reading = readEncryption(await readEncryptionFacts(deps.cluster, input.target.cluster, deps.now(), signal));
    readyAt = new Map(reading.facts.nodes.map(({ name, agent }) => [name, agent?.readyAt]));
    return reading;
  };
  // What was proved before says nothing of now.
  const failed = (error: unknown): void => {
    if (!unread) hear({ kind: 'gap', at: deps.now(), node: AGENTS, reason: error instanceof Error ? error.message : String(error) });
    unread = true;
  };
  const isAsked = input.purpose === 'stage' && !input.applying;
  // What is read back is judged by when agents were ready.
  if (isAsked && resumed) await look().catch(failed);
  await followTraffic(deps, { ...options, from, reader, homes }, hear);
  if (!isAsked) return;
  const prove = async (): Promise<void> => {
    const known = await look();
    const configuredAt = known.facts.overrides.find(({ name }) => name.endsWith(input.opId))?.changedAt;
    const { traffic, expected } = reader;
    hear(proofOf({ details, stage: number, reading: known, traffic, expected, ...(configuredAt !== undefined && { configuredAt }) }));
    if (unread) hear({ kind: 'sight', at: deps.now(), node: AGENTS });
    unread = false;
  };
  // Of hundreds of nodes it is hundreds of pages: half of the time the API server has its rest.
  again((tookMs) => Math.max(LOOK_MS, tookMs), signal, prove, failed);
}

/** While agents are replaced their nodes are out of sight by our own doing, each for as long as an agent may take. */
function absencesOf(
  { applying }: WatchInput,
  own: readonly string[],
  { since, resumed, details }: { readonly since: number; readonly resumed: boolean; readonly details: EncryptionDetails },
): readonly Absence[] {
  // Whoever watched before has waited for them.
  if (resumed && !applying) return [];
  const { agentMs, mostAway } = details;
  const until = since + (applying ? Math.ceil(own.length / mostAway) * agentMs : OFF_GAP_MS);
  return own.map((node) => ({ node, until }));
}
