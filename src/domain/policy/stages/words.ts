import { isIcmp, type PolicyPeer } from '../flow.ts';
import type { Direction } from '../policy.ts';
import { MOST_LABELLED } from './cohort.ts';
import { peerOf } from './group.ts';
import type { Shaped } from './shape.ts';
import type { PolicyStages } from './stages.ts';

/** What the plan of a rollout knows, for people. */
interface RolloutFacts {
  readonly opId: string;
  readonly namespace: string;
  readonly policyName: string;
  readonly source: string;
  readonly sha256: string;
  readonly isNew: boolean;
  readonly pods: number;
  readonly readyPods: number;
  /** Pods that the candidate selects and that are not the workload's. */
  readonly strangers: readonly string[];
  readonly planned: PolicyStages;
  /** The way that was taken, and why not the most careful one. */
  readonly shaped?: Shaped;
  /** Why there is no shadow in a direction. */
  readonly unobserved: readonly { readonly direction: Direction; readonly because: string }[];
  readonly observeOnly: boolean;
  readonly byName: boolean;
  /** `--no-observe`: only what a policy needs that allows by name. */
  readonly isShort: boolean;
  readonly windowMs: number;
  /** What people must read first: the dry-run, who loses protection, what opens and closes. */
  readonly first: readonly string[];
  readonly accepted: readonly string[];
  /** How many of each are accepted in one step. */
  readonly acceptedMost: Readonly<Record<string, number>>;
  /** How long a pod's new label takes to count (ms); 0 where no pod is labelled. */
  readonly identityMs: number;
}

/** Whose turn it is, where that is not by chance. */
const TURNS: Readonly<Record<string, string>> = {
  StatefulSet:
    'Of a StatefulSet the highest ordinal goes first, as in a rolling update; a pod that comes back under its name has its turn again.',
  DaemonSet: 'Of a DaemonSet it goes node by node; a pod that comes back on its node has its turn again.',
};

/** Nobody waits for less. */
const SHORT_MS = 10_000;

/** Sentences of the plan: what becomes of whom, in which order, what is not seen. */
export function rolloutWords(facts: RolloutFacts): readonly string[] {
  const { planned, pods, readyPods, strangers, first, accepted, acceptedMost } = facts;
  const digest = facts.sha256 === '' ? '' : ` (sha256 ${facts.sha256.slice(0, 12)})`;
  return [
    ...first,
    `The policy ${facts.policyName} comes from ${facts.source}${digest} and selects ${pods} pods of ${facts.namespace}, ${readyPods} of them ready.`,
    ...(strangers.length > 0 ? [`It also selects pods of other workloads: ${some(strangers)}. They are part of the rollout.`] : []),
    ...observeWords(facts),
    ...(facts.observeOnly ? [] : enforceWords(facts, planned)),
    ...(accepted.length > 0 ? [`Accepted as meant: ${some(accepted.map((key) => upTo(key, acceptedMost)))}; more is asked about.`] : []),
    'Connections that are open already give no verdicts: they show only once the policy drops their packets.',
  ];
}

function observeWords({ planned, unobserved, windowMs, byName, isShort }: RolloutFacts): readonly string[] {
  const why = unobserved.map(({ direction, because }) => `No shadow watches ${direction}: ${because}.`);
  if (!planned.shadow) return why;
  const words = `First a shadow policy watches for ${durationWords(windowMs)}: it allows what the candidate allows on layers 3 and 4 and denies nothing, so each connection shows whether it would be let through. Deny entries and layer 7 are judged by our own evaluator there.`;
  const names =
    'The policy allows by name, so lookups go through the DNS proxy from then on, and none is refused: an address that a pod looked up earlier belongs to no name.';
  const despite = 'That is why it is observed in spite of `--no-observe`; `--window` sets for how long.';
  return [words, ...(byName ? [names] : []), ...(isShort ? [despite] : []), ...why];
}

/** In which order pods go, and what is put back. */
export function enforceWords(
  { isNew, policyName, pods, shaped, identityMs }: Pick<RolloutFacts, 'isNew' | 'policyName' | 'pods' | 'shaped' | 'identityMs'>,
  { levels, cohort }: PolicyStages,
): readonly string[] {
  const phases = levels.slice(1).map(({ name }) => name);
  const first = cohort[0];
  const order =
    first === undefined
      ? `One phase after the other: ${phases.join(', ')}. There is no smaller cohort than the ${pods === 1 ? 'one pod there is' : 'pods there are'}.`
      : `One phase after the other: ${phases.join(', ')}; each first for pod ${first.name}${cohort.length > 1 ? `, then for up to ${cohort.length} pods` : ''}, then for all. Pods that are born meanwhile stay outside until a phase reaches all; in the place of one that goes first another one does.`;
  const kinds = new Set(cohort.map(({ maker }) => maker?.kind));
  const turns = Object.entries(TURNS).flatMap(([kind, words]) => (kinds.has(kind) ? [words] : []));
  const cap = cohort.length === MOST_LABELLED ? [`At most ${MOST_LABELLED} pods go first, whatever their share.`] : [];
  const wait =
    identityMs < SHORT_MS
      ? []
      : [
          `Cilium takes up to ${durationWords(identityMs)} to know a pod by its new label, so each step begins that much later (identity-max-jitter).`,
        ];
  const before = isNew
    ? 'The undo removes the policy again.'
    : `A policy named ${policyName} is there already: it stays in force for every pod that a phase has not reached, and the undo puts it back.`;
  return [order, ...turns, ...(shaped ? shapeWords(shaped) : []), ...cap, ...wait, before];
}

/** Why the way is not the usual one, with an example of what would have been open for a while. */
function shapeWords({ breaches, cut }: Shaped): readonly string[] {
  const why = breaches.map(({ kind, state, source, destination, what }) => {
    const port = isIcmp(what.protocol) ? `${what.protocol} type ${what.icmpType}` : `port ${what.destinationPort}/${what.protocol}`;
    const asked = what.http ? `, ${what.http.method} ${what.http.path}` : what.dns ? `, query ${what.dns.query}` : '';
    const flow = `${nameOf(source)} to ${nameOf(destination)}, ${port}${asked}`;
    return `The usual way was not taken: at "${state}" it would have ${kind === 'opens' ? 'allowed what is denied' : 'denied what is allowed'} before and in the end, such as ${flow}.`;
  });
  return cut
    ? [...why, 'The policies tell more kinds of connections apart than can be checked one by one, so all pods change in one step.']
    : why;
}

function nameOf({ labels, ip }: PolicyPeer): string {
  const { kind, name } = peerOf(labels);
  return kind === 'world' && ip !== undefined ? ip : name;
}

export function watchedWords(directions: readonly Direction[]): readonly string[] {
  return [
    `new connections ${directions.map((direction) => (direction === 'ingress' ? 'to' : 'from')).join(' and ')} the pods: policy verdicts, drops, refused requests`,
    'whether somebody else changes the policy or the labels',
  ];
}

function durationWords(ms: number): string {
  if (ms < 120_000) return `${Math.round(ms / 1_000)} s`;
  return ms < 7_200_000 ? `${Math.round(ms / 60_000)} min` : `${Math.round(ms / 3_600_000)} h`;
}

export function upTo(key: string, most: Readonly<Record<string, number>>): string {
  return most[key] === undefined ? key : `${key} (up to ${most[key]} in each step)`;
}

export function some(names: readonly string[]): string {
  return names.length <= 5 ? names.join(', ') : `${names.slice(0, 5).join(', ')} and ${names.length - 5} more`;
}
