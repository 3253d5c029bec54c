import { type ReadFlow, readRecorded } from '../../domain/policy/dryrun/recorded.ts';
import { readCompactLine } from './compact.ts';
import { textOf } from './decompress.ts';
import { type Piece, Scanner } from './scan.ts';

/** Which form most records had; `text` has no labels, so that policies cannot be decided from it. */
export type FlowForm = 'json' | 'text';

export interface FlowsRead {
  readonly flow: ReadFlow;
  readonly form: FlowForm;
}

/** What a container runtime puts in front of a line (CRI): time, stream, whether the line is whole. */
const CRI = /^\d{4}-\d\d-\d\dT[\d:.]+(?:Z|[+-]\d\d:\d\d) (?:stdout|stderr) (?<part>[FP])(?::\S*)? (?<rest>.*)$/s;
/** Members in which logs wrap a line: Docker's json-file, Loki's logcli. */
const WRAPPED = ['log', 'line', 'message'] as const;

/**
 * The flows of a recording, as people have them: `hubble observe -o jsonpb` or `json`, Hubble's exporter, bare flows, a list, pretty-printed, packed with gzip
 * or zstd, out of a container's log, or the compact text for people. A batch for each piece that was read; memory does not grow with the recording.
 */
export async function* readFlows(input: AsyncIterable<Uint8Array | string>): AsyncGenerator<readonly FlowsRead[]> {
  const scanner = new Scanner();
  const lines = new LogLines();
  for await (const text of textOf(input)) {
    const batch = [...scanner.take(text)].flatMap((piece) => lines.read(piece));
    if (batch.length > 0) yield batch;
  }
  const last = [...scanner.end()].flatMap((piece) => lines.read(piece));
  if (last.length > 0) yield last;
}

class LogLines {
  /** The beginning of a line that the runtime has split. */
  #part = '';

  read(piece: Piece): readonly FlowsRead[] {
    if (piece.kind === 'torn') return [{ flow: { kind: 'unreadable', words: 'its JSON is cut off' }, form: 'json' }];
    if (piece.kind === 'json') return [this.#json(piece.value)];
    const { part, rest } = CRI.exec(piece.text)?.groups ?? {};
    if (rest === undefined) return [lineOf(piece.text)];
    this.#part = (this.#part + rest).slice(0, LONGEST_LINE);
    if (part === 'P') return [];
    const whole = this.#part;
    this.#part = '';
    return whole.trim() === '' ? [] : [lineOf(whole)];
  }

  #json(value: unknown): FlowsRead {
    if (typeof value === 'object' && value !== null && !('flow' in value)) {
      for (const member of WRAPPED) {
        const inner = (value as Readonly<Record<string, unknown>>)[member];
        if (typeof inner === 'string' && inner.trim() !== '') return lineOf(CRI.exec(inner.trimEnd())?.groups?.['rest'] ?? inner);
      }
    }
    return { flow: readRecorded(value), form: 'json' };
  }
}

const LONGEST_LINE = 1024 * 1024;

function lineOf(text: string): FlowsRead {
  const line = text.trim();
  if (!line.startsWith('{')) return { flow: readCompactLine(line), form: 'text' };
  try {
    return { flow: readRecorded(JSON.parse(line)), form: 'json' };
  } catch {
    return { flow: { kind: 'unreadable', words: 'it is not JSON' }, form: 'json' };
  }
}
