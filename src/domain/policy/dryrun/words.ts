// What a dry-run found, in sentences and tables for people and programs.
import { csvOf } from '../../words/csv.ts';
import type { DryRun } from './dry-run.ts';
import { UNKNOWN_REASONS } from './flow.ts';
import type { FlowGroup } from './group.ts';

const total = (groups: readonly FlowGroup[]) => groups.reduce((sum, { count }) => sum + count, 0);
const some = (count: number, noun: string) => `${count} ${noun}${count === 1 ? '' : 's'}`;

/** Connections and requests that could be decided. */
export function decidedIn({ wouldDrop, wouldAllow, stillAllowed, stillDenied }: DryRun): number {
  return total(wouldDrop) + total(wouldAllow) + stillAllowed + stillDenied;
}

/** A few sentences, the most important first: what stands beside a plan. */
export function dryRunSentences(run: DryRun, most = 3): readonly string[] {
  const { wouldDrop, wouldAllow, unknown, lost, decidedOtherwise } = run;
  const decided = decidedIn(run);
  if (decided === 0 && unknown.length === 0)
    return ['Dry-run: no connection of these pods was seen, so nothing is known about what it would drop.'];
  const named = wouldDrop.slice(0, most).map((group) => `${groupSentence(group)} (${group.count})`);
  const more = wouldDrop.length > most ? [`${wouldDrop.length - most} more groups`] : [];
  return [
    decided === 0
      ? 'Dry-run: nothing could be decided, so nothing is known about what it would drop.'
      : wouldDrop.length === 0
        ? `Dry-run: none of ${some(decided, 'connection')} that were seen would be dropped.`
        : `Dry-run: ${total(wouldDrop)} of ${some(decided, 'connection')} that were seen would be dropped: ${[...named, ...more].join('; ')}.`,
    ...(wouldAllow.length === 0 ? [] : [`Newly allowed: ${total(wouldAllow)} in ${some(wouldAllow.length, 'group')}.`]),
    ...(unknown.length === 0
      ? []
      : [
          `Not decided, because they say too little: ${unknown.map(({ reason, count }) => `${count} (${UNKNOWN_REASONS[reason]})`).join('; ')}.`,
        ]),
    ...(lost === 0 ? [] : [`The recorder lost ${some(lost, 'event')}.`]),
    ...(decidedOtherwise.count === 0
      ? []
      : [`${decidedOtherwise.count} were decided otherwise when they were seen: the policies have changed since.`]),
  ];
}

/** `from frontend/frontend to port 8080/TCP, GET /admin`. */
export function groupSentence({ direction, peer, port, protocol, request }: FlowGroup): string {
  const where = port === undefined ? protocol : `port ${port}/${protocol}`;
  const ends = direction === 'ingress' ? `from ${peer.name} to ${where}` : `to ${peer.name}, ${where}`;
  return request === undefined ? ends : `${ends}, ${request}`;
}

const HEAD = ['change', 'direction', 'peer', 'labels', 'port', 'protocol', 'request', 'count', 'unit', 'firstSeen', 'lastSeen'] as const;
const TAIL = ['exampleSource', 'exampleDestination', 'exampleVerdict', 'why', 'key'] as const;

/** How many connections and requests would be dropped, by each key that speaks of them. */
export function countsByKey({ wouldDrop }: Pick<DryRun, 'wouldDrop'>): Readonly<Record<string, number>> {
  const counts = new Map<string, number>();
  for (const { keys, count } of wouldDrop) for (const key of keys) counts.set(key, (counts.get(key) ?? 0) + count);
  return Object.fromEntries(counts);
}

/** All groups as CSV. */
export function dryRunCsv(run: DryRun): string {
  const rows = [
    ...run.wouldDrop.map((group) => row('would drop', group)),
    ...run.wouldAllow.map((group) => row('would allow', group)),
    ...run.unknown.map(({ reason, direction, count, example }) => {
      const cells = { change: `unknown: ${UNKNOWN_REASONS[reason]}`, direction: direction ?? '', count: String(count), unit: 'connection' };
      return { ...cells, exampleSource: example.source, exampleDestination: example.destination, exampleVerdict: example.verdict };
    }),
  ];
  const lines = [
    [...HEAD, ...TAIL],
    ...rows.map((cells) => [...HEAD, ...TAIL].map((name) => (cells as Record<string, string>)[name] ?? '')),
  ];
  return csvOf(lines);
}

function row(change: string, group: FlowGroup): Record<string, string> {
  const { direction, peer, port, protocol, request = '', count, unit, firstSeen, lastSeen, example, why, key } = group;
  return {
    change,
    direction,
    peer: peer.name,
    labels: peer.labels.join(' '),
    port: String(port ?? ''),
    protocol,
    request,
    count: String(count),
    unit,
    firstSeen: instant(firstSeen),
    lastSeen: instant(lastSeen),
    exampleSource: example.source,
    exampleDestination: example.destination,
    exampleVerdict: example.verdict,
    why,
    key,
  };
}

/** Epoch ms as ISO 8601, `''` where the record had no time. */
export function instant(at: number): string {
  return Number.isNaN(at) ? '' : new Date(at).toISOString();
}
