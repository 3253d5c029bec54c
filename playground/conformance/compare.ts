import { quantile, type Situation, type Summary } from './summary.ts';

/** One thing in which the simulator is not like the real agents. */
export interface Difference {
  readonly where: string;
  readonly what: string;
  readonly real: string;
  readonly simulated: string;
}

/** A field counts as always there from this share of events on: which situations came up is chance. */
const MOSTLY = 0.75;
/** Fewer connections of a situation say nothing about their order: an agent reads the events of each processor by itself. */
const LEAST_FOR_ORDER = 3;
/** Times are alike within this factor, or within so many milliseconds. */
const FACTOR = 2;
const NEAR_MS = 60;

export function compare(real: Summary, simulated: Summary): readonly Difference[] {
  const names = Object.keys(real.situations).filter((name) => name in simulated.situations);
  return [
    ...missing(real, simulated).map((where) => ({ where, what: 'the situation', real: 'seen', simulated: 'not seen' })),
    ...missing(simulated, real).map((where) => ({ where, what: 'the situation', real: 'not seen', simulated: 'seen' })),
    ...names.flatMap((name) => situationDifferences(name, real.situations[name], simulated.situations[name])),
    ...Object.keys(real.fields).flatMap((kind) => fieldDifferences(kind, real.fields[kind] ?? {}, simulated.fields[kind] ?? {})),
    ...Object.keys(real.times).flatMap((name) => timeDifferences(name, real.times[name] ?? [], simulated.times[name] ?? [])),
  ];
}

/** Situations that only one of them has, wherever its pods were: which pod of a Service is called is chance. */
function missing(one: Summary, other: Summary): readonly string[] {
  const kinds = ({ situations }: Summary) => new Set(Object.keys(situations).map((name) => name.replace(/, (one node|two nodes)$/, '')));
  const known = kinds(other);
  return [...kinds(one)].filter((name) => !known.has(name));
}

function situationDifferences(where: string, real: Situation | undefined, simulated: Situation | undefined): readonly Difference[] {
  if (!real || !simulated) return [];
  const tokens = [...new Set([...real.order, ...simulated.order])];
  const counts = tokens.flatMap((token): readonly Difference[] => {
    const [one, other] = [real.counts[token] ?? 0, simulated.counts[token] ?? 0];
    // How later packets share their flags is chance, and how long a situation lasted as well.
    const isNear = /\blater\b/.test(token) ? one > 0 === other > 0 && Math.abs(one - other) <= Math.max(1, one / 2) : one === other;
    return isNear ? [] : [{ where, what: token, real: `${one} of a connection`, simulated: `${other}` }];
  });
  if (counts.length > 0 || Math.min(real.connections, simulated.connections) < LEAST_FOR_ORDER) return counts;
  // A proxy's record is written beside the packets, so its place among them is chance.
  const orderOf = ({ order }: Situation) => order.filter((token) => !token.startsWith('l7')).join('; ');
  const [one, other] = [orderOf(real), orderOf(simulated)];
  return one === other ? [] : [{ where, what: 'order', real: one, simulated: other }];
}

function fieldDifferences(
  kind: string,
  real: Readonly<Record<string, number>>,
  simulated: Readonly<Record<string, number>>,
): readonly Difference[] {
  const share = (value = 0) => (value > MOSTLY ? 'always' : value === 0 ? 'never' : 'sometimes');
  return [...new Set([...Object.keys(real), ...Object.keys(simulated)])].toSorted().flatMap((field): readonly Difference[] => {
    const [one, other] = [share(real[field]), share(simulated[field])];
    return one === other ? [] : [{ where: `fields of a ${kind}`, what: field, real: one, simulated: other }];
  });
}

function timeDifferences(what: string, real: readonly number[], simulated: readonly number[]): readonly Difference[] {
  if (real.length === 0 && simulated.length === 0) return [];
  const words = (times: readonly number[]) =>
    times.length === 0 ? 'never' : `p50 ${ms(quantile(times, 0.5))}, p95 ${ms(quantile(times, 0.95))} (${times.length})`;
  const isAlike = real.length > 0 && simulated.length > 0 && [0.5, 0.95].every((q) => isNear(quantile(real, q), quantile(simulated, q)));
  return isAlike ? [] : [{ where: 'time', what, real: words(real), simulated: words(simulated) }];
}

function isNear(one: number, other: number): boolean {
  return Math.abs(one - other) <= NEAR_MS || Math.max(one, other) <= FACTOR * Math.min(one, other);
}

const ms = (value: number): string => (value < 10_000 ? `${Math.round(value)} ms` : `${(value / 1_000).toFixed(1)} s`);

/** The differences as a table in Markdown. */
export function tableOf(differences: readonly Difference[]): string {
  const cell = (text: string): string => text.replaceAll('|', '\\|');
  const rows = differences.map(({ where, what, real, simulated }) => `| ${[where, what, real, simulated].map(cell).join(' | ')} |`);
  return ['| where | what | real | simulator |', '|---|---|---|---|', ...rows].join('\n');
}
