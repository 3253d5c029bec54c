// What real agents of Cilium 1.20.2 recorded (test/fixtures/real-cilium).
import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';

/** One flow as Hubble's JSON has it, the part that tests look at. */
export interface RawFlow {
  readonly time: string;
  readonly verdict: string;
  readonly event_type: { readonly type: number; readonly sub_type?: number };
  readonly traffic_direction?: string;
  readonly policy_match_type?: number;
  readonly l7?: { readonly type?: string };
  readonly IP: { readonly source: string; readonly destination: string };
  readonly l4: Readonly<Record<string, { readonly source_port?: number; readonly destination_port?: number; readonly type?: number }>>;
  readonly source: RawEnd;
  readonly destination: RawEnd;
}

interface RawEnd {
  readonly namespace?: string;
  readonly pod_name?: string;
  readonly labels?: readonly string[];
}

export interface Recorded {
  readonly flow: RawFlow;
  /** The line as it was written. */
  readonly line: string;
}

const folder = new URL('../fixtures/real-cilium/', import.meta.url);

/** The flows of one recording in the order of their times; with marks only those between two of them (`A1`, or `start` and `end`). */
export function recording(name: string, from = 'start', to = 'end'): readonly Recorded[] {
  const lines = gunzipSync(readFileSync(new URL(`${name}.jsonl.gz`, folder)))
    .toString()
    .trim()
    .split('\n');
  const [first, last] = [from === 'start' ? '' : markOf(name, from), to === 'end' ? '9' : markOf(name, to)];
  return lines
    .map((line) => ({ line, flow: (JSON.parse(line) as { readonly flow: RawFlow }).flow }))
    .filter(({ flow }) => flow.time >= first && flow.time < last)
    .toSorted((one, other) => one.flow.time.localeCompare(other.flow.time));
}

/** When what the mark names was done. */
function markOf(name: string, mark: string): string {
  const lines = readFileSync(new URL(`${name}.marks`, folder), 'utf8').split('\n');
  const found = lines.find((line) => line.split(' ')[1] === mark);
  if (found === undefined) throw new Error(`recording ${name} has no mark ${mark}`);
  return found.split(' ')[0] ?? '';
}

/** The same for every record of one connection; a ping is one, whatever it asks. */
export function connectionOf({ IP, l4 }: RawFlow, isReply: boolean): string {
  const [protocol = '', ports = {}] = Object.entries(l4)[0] ?? [];
  const ends = [`${IP.source}:${ports.source_port ?? 0}`, `${IP.destination}:${ports.destination_port ?? 0}`];
  return `${protocol} ${(isReply ? ends.toReversed() : ends).join('>')}`;
}
