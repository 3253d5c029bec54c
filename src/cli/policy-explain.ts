import { readGiven } from '../documents/files.ts';
import { policiesIn } from '../documents/policies.ts';
import { mapFlow, type SeenFlow, UNKNOWN_REASONS, type UnknownReason } from '../domain/policy/dryrun/flow.ts';
import type { ReadFlow } from '../domain/policy/dryrun/recorded.ts';
import { PolicySide } from '../domain/policy/dryrun/side.ts';
import { EXIT } from './outcomes.ts';
import { openRecording, type Tally, WANTED_FORM } from './recording.ts';
import { visible } from './visible.ts';

interface PolicyExplainOptions {
  /** A recording in any form that people have; `-` for stdin. */
  readonly flows: string;
  /** Files and folders with the policies that are in force. */
  readonly inForce: readonly string[];
  readonly namespace?: string;
  readonly clusterName?: string;
  readonly stdin: AsyncIterable<Uint8Array>;
  readonly signal: AbortSignal;
  readonly print: (line: string) => void;
}

/** Kinds of connections that are kept apart; a port scan must not fill the memory. */
const MOST_KINDS = 1_000;

/** Says of each kind of recorded connection which rule decides it, and why, under the policies that are given. Exit codes: `outcomes.ts`. */
export async function policyExplain(options: PolicyExplainOptions): Promise<number> {
  const { flows: file, stdin, signal, print, namespace, clusterName: asked } = options;
  const given = await readGiven(options.inForce, stdin, signal);
  let tally: Tally = { records: 0, unreadable: 0, texts: 0 };
  try {
    const opened = await openRecording({ file, stdin, clusterName: asked, signal });
    const clusterName = 'problem' in opened ? undefined : opened.clusterName;
    const { policies, problems } = policiesIn(given.texts, { namespace, clusterName });
    const wrong = [
      ...given.unreadable.map((one) => `${one.file}: ${one.words}`),
      ...problems,
      ...('problem' in opened ? [opened.problem] : []),
    ];
    for (const words of wrong) print(`✗ ${visible(words)}`);
    if (wrong.length > 0 || 'problem' in opened) return EXIT.unreadable;
    ({ tally } = opened);
    const explained = new Explained(new PolicySide(policies, clusterName === undefined ? {} : { clusterName }, ''));
    for await (const batch of opened.flows) for (const one of batch) explained.take(one);
    for (const line of explained.lines(tally, policies.length)) print(visible(line));
    return explained.exit(tally);
  } catch (error) {
    signal.throwIfAborted();
    print(`✗ ${visible(`${file}: It cannot be read: ${error instanceof Error ? error.message : String(error)}`)}`);
    return tally.records > 0 ? EXIT.partly : EXIT.unreadable;
  }
}

class Explained {
  readonly #side: PolicySide;
  readonly #kinds = new Map<string, number>();
  readonly #unknown = new Map<UnknownReason, number>();
  #decided = 0;
  #more = 0;

  constructor(side: PolicySide) {
    this.#side = side;
  }

  take(read: ReadFlow): void {
    if (read.kind !== 'flow') return;
    const mapped = mapFlow(read.flow);
    if (mapped.kind === 'unknown') this.#leaveOut(mapped.reason);
    // A record of layer 7 tells of its connection first.
    const seen = mapped.kind === 'seen' ? mapped.seen.at(-1) : undefined;
    if (seen) this.#explain(seen);
  }

  #leaveOut(reason: UnknownReason): void {
    this.#unknown.set(reason, (this.#unknown.get(reason) ?? 0) + 1);
  }

  #explain({ flow, direction, example }: SeenFlow): void {
    const said = this.#side.decide(flow, direction);
    if (said?.doubt !== undefined) return this.#leaveOut(said.doubt);
    const asked = this.#side.asSeen(flow);
    const doubt = said?.decision.allowed === false ? this.#side.denialDoubt(asked, direction) : undefined;
    if (doubt !== undefined) return this.#leaveOut(doubt);
    this.#decided += 1;
    const words = this.#side.evaluator.explain(asked)[direction]?.words ?? 'No policy is enforced at this end.';
    const request = example.request === undefined ? '' : `, ${example.request}`;
    const what = `${example.source} → ${example.destination}, ${example.port ?? ''}/${example.protocol}${request} (${direction})`;
    const kind = `${said?.decision.allowed === false ? '✗ denied ' : '✓ allowed'} ${what}: ${words}`;
    if (this.#kinds.has(kind) || this.#kinds.size < MOST_KINDS) this.#kinds.set(kind, (this.#kinds.get(kind) ?? 0) + 1);
    else this.#more += 1;
  }

  lines(tally: Tally, policies: number): readonly string[] {
    const undecided = [...this.#unknown.values()].reduce((sum, count) => sum + count, 0);
    return [
      ...[...this.#kinds].toSorted(([, a], [, b]) => b - a).map(([kind, count]) => `${kind} ${count} times`),
      ...[...this.#unknown].map(([reason, count]) => `not decided: ${count}, ${UNKNOWN_REASONS[reason]}`),
      ...(this.#more > 0 ? [`${this.#more} records of further kinds are left out.`] : []),
      `${tally.records} records read${tally.unreadable > 0 ? `, ${tally.unreadable} lines are no flows` : ''}; ${this.#decided} decided, ${undecided} not, under ${policies} policies. The rest are replies and the like.`,
      ...(tally.records === 0 || tally.texts > 0 ? [`${WANTED_FORM}.`] : []),
    ];
  }

  exit({ records, unreadable, texts }: Tally): number {
    if ((records === 0 && unreadable > 0) || (this.#decided === 0 && texts > 0)) return EXIT.unreadable;
    if (unreadable > 0) return EXIT.partly;
    if (this.#unknown.size > 0) return EXIT.undecided;
    return this.#decided === 0 ? EXIT.empty : EXIT.fine;
  }
}
