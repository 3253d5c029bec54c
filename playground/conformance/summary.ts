// What a recording says, as plain data that two worlds can be compared by, and that is small enough to be kept.
import { connectionsOf, type NodesOfPods, type SeenConnection } from './connections.ts';
import type { Heard, WireFlow } from './hear.ts';
import type { Mark } from './script.ts';

export interface Summary {
  readonly situations: Readonly<Record<string, Situation>>;
  /** Fields of a flow by the kind of event, with the share of flows that have them. */
  readonly fields: Readonly<Record<string, Readonly<Record<string, number>>>>;
  /** Measured times (ms), sorted. */
  readonly times: Readonly<Record<string, readonly number[]>>;
}

export interface Situation {
  readonly connections: number;
  /** The events of most of its connections in the order of their times, each told once. */
  readonly order: readonly string[];
  /** How many of each event a connection has: the median. */
  readonly counts: Readonly<Record<string, number>>;
  readonly flows: number;
}

export interface Recording {
  readonly heard: readonly Heard[];
  readonly marks: readonly Mark[];
  readonly nodes: NodesOfPods;
}

export function summarise({ heard, marks, nodes }: Recording): Summary {
  const connections = connectionsOf(heard, nodes);
  const bySituation = Map.groupBy(
    connections.filter(({ situation }) => !situation.startsWith('timing')),
    ({ situation }) => situation,
  );
  const known = [...bySituation].toSorted(([one], [other]) => one.localeCompare(other));
  return {
    situations: Object.fromEntries(known.map(([name, of]) => [name, situationOf(of)])),
    fields: fieldsOf(connections),
    times: timesOf(connections, marks),
  };
}

function situationOf(connections: readonly SeenConnection[]): Situation {
  const tokens = [...new Set(connections.flatMap(({ events }) => events.map(({ token }) => token)))];
  const counts = tokens.map(
    (token) => [token, median(connections.map(({ events }) => events.filter((one) => one.token === token).length))] as const,
  );
  const usual = counts.filter(([, count]) => count > 0).map(([token]) => token);
  // Two nodes' clocks and queues are not in step: the order counts on each node by itself.
  const place = (token: string) => median(connections.flatMap(({ events }) => firstPlace(events, token)));
  return {
    connections: connections.length,
    order: usual.toSorted((one, other) => whereOf(one).localeCompare(whereOf(other)) || place(one) - place(other)),
    counts: Object.fromEntries(counts.filter(([, count]) => count > 0)),
    flows: median(connections.map(({ events }) => events.length)),
  };
}

function firstPlace(events: SeenConnection['events'], token: string): readonly number[] {
  const own = events.filter((one) => whereOf(one.token) === whereOf(token));
  const index = own.findIndex((one) => one.token === token);
  return index < 0 ? [] : [index];
}

const whereOf = (token: string): string => token.slice(token.lastIndexOf(' at '));

const KINDS: Readonly<Record<number, string>> = { 1: 'drop', 4: 'trace', 5: 'verdict', 129: 'l7' };

/** Each event of each situation counts once, however often it came. */
function fieldsOf(connections: readonly SeenConnection[]): Summary['fields'] {
  const events = connections.flatMap(({ situation, events: all }) =>
    situation.startsWith('timing') ? [] : all.map(({ token, heard }) => ({ key: `${situation} ${token}`, flow: heard.flow })),
  );
  const flows = [...Map.groupBy(events, ({ key }) => key).values()].flatMap(([first]) => (first ? [first.flow] : []));
  const byKind = Map.groupBy(flows, ({ event_type, verdict }) => {
    const kind = KINDS[event_type?.type ?? 0] ?? 'other';
    return kind === 'verdict' ? `${kind} ${verdict === 'DROPPED' ? 'of a denial' : 'of an allow'}` : kind;
  });
  return Object.fromEntries(
    [...byKind]
      .toSorted(([one], [other]) => one.localeCompare(other))
      .map(([kind, of]) => {
        const counts = new Map<string, number>();
        for (const flow of of) for (const field of new Set(presentIn(flow))) counts.set(field, (counts.get(field) ?? 0) + 1);
        return [
          kind,
          Object.fromEntries(
            [...counts].toSorted(([a], [b]) => a.localeCompare(b)).map(([field, count]) => [field, round(count / of.length)]),
          ),
        ];
      }),
  );
}

/** Names of what is set, with the keys of an identity's labels. */
function presentIn(flow: WireFlow): readonly string[] {
  const ends = (['source', 'destination'] as const).flatMap((end) => {
    const { labels = [], ...rest } = flow[end] ?? {};
    // Those that somebody gave the pod are no doing of the agent's.
    const cilium = labels.filter((label) => !label.startsWith('k8s:') || label.startsWith('k8s:io.'));
    const keys = cilium.map((label) => `an end's label ${label.startsWith('reserved:') ? label : (label.split('=')[0] ?? '')}`);
    return [
      ...Object.keys(rest)
        .filter((key) => key !== 'ID' && key !== 'workloads' && key !== 'identity')
        .map((key) => `an end's ${key}`),
      ...keys,
    ];
  });
  const logs = flow.policy_log?.map((text) => (text === '' ? 'policy_log: ""' : 'policy_log: text')) ?? [];
  return [...Object.keys(flow).filter((key) => !['source', 'destination', 'policy_log'].includes(key)), ...logs, ...ends];
}

function timesOf(connections: readonly SeenConnection[], marks: readonly Mark[]): Summary['times'] {
  const of = (situation: string) => connections.filter((one) => one.situation.startsWith(situation));
  const isDenial = ({ heard: { flow } }: SeenConnection['events'][number]) => flow.event_type?.type === 5 && flow.verdict === 'DROPPED';
  const gaps = (situation: string) =>
    of(situation).flatMap(({ events }) => {
      const at = events.filter(isDenial).map((one) => one.at);
      return at.slice(1).map((time, index) => time - (at[index] ?? time));
    });
  const timing = of('timing')
    .flatMap(({ events }) => events)
    .toSorted((one, other) => one.at - other.at);
  /** On every node the first event of its kind after each mark. */
  const until = (what: Mark['what'], isIt: (event: SeenConnection['events'][number]) => boolean) =>
    marks
      .filter((mark) => mark.what === what && mark.name.startsWith('conform-t'))
      .flatMap(({ at }) => {
        const after = timing.filter((event) => event.at >= at && event.at < at + 1_500 && isIt(event));
        return [...Map.groupBy(after, ({ heard }) => heard.node).values()].map(([first]) => (first?.at ?? at) - at);
      });
  const isOpened = ({ heard: { flow } }: SeenConnection['events'][number]) =>
    flow.trace_observation_point === 'TO_ENDPOINT' && flow.trace_reason === 'NEW' && flow.destination?.pod_name !== undefined;
  const all = connections.flatMap(({ events }) => events);
  const lag = (type: number) => all.filter(({ heard }) => heard.flow.event_type?.type === type).map(({ lagMs }) => lagMs);
  const labelled = marks.filter(({ what }) => what === 'labelled');
  const identified = (name: string) => marks.find((mark) => mark.what === 'identified' && mark.name === name)?.at ?? Number.NaN;
  const held = of('held, ').flatMap(({ events }) => {
    const at = events
      .filter(({ heard: { flow } }) => flow.trace_observation_point === 'TO_ENDPOINT' && flow.trace_reason === 'ESTABLISHED')
      .map((one) => one.at);
    return at
      .slice(1)
      .map((time, index) => time - (at[index] ?? time))
      .filter((gap) => gap > 500);
  });
  const times = {
    'a denied SYN again after': gaps('denied'),
    'a denied packet of a held connection again after': gaps('held-denied'),
    'a trace of a held connection again after': held,
    'a policy in force after': until('applied', isDenial),
    'out of force after': until('deleted', isOpened),
    'a label is an identity after': labelled.map(({ name, at }) => identified(name) - at),
    'a verdict comes after': lag(5),
    'a trace comes after': lag(4),
    'a drop comes after': lag(1),
  };
  return Object.fromEntries(
    Object.entries(times).map(([name, list]) => [name, list.map((ms) => Math.round(ms * 10) / 10).toSorted((a, b) => a - b)]),
  );
}

export function median(values: readonly number[]): number {
  return quantile(
    values.toSorted((a, b) => a - b),
    0.5,
  );
}

/** Of sorted values; NaN of none. */
export function quantile(sorted: readonly number[], share: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
}

const round = (share: number): number => Math.round(share * 100) / 100;
