import { type Learned, Learner } from '../domain/policy/learn/learn.ts';
import { EXIT } from './outcomes.ts';
import { openRecording, type Tally, WANTED_FORM } from './recording.ts';
import { visible } from './visible.ts';

interface PolicyLearnOptions {
  /** A recording in any form that people have; `-` for stdin. */
  readonly flows: string;
  readonly namespace: string;
  /** `key=value`: labels that all pods of the workload have. */
  readonly selector: readonly string[];
  readonly name?: string;
  readonly clusterName?: string;
  readonly stdin: AsyncIterable<Uint8Array>;
  readonly signal: AbortSignal;
  readonly print: (line: string) => void;
}

/** Proposes a policy for the pods of one workload from what was recorded of them, as YAML whose comments say what it covers. Exit codes: `outcomes.ts`. */
export async function policyLearn({
  flows,
  namespace,
  selector,
  name,
  clusterName,
  stdin,
  signal,
  print,
}: PolicyLearnOptions): Promise<number> {
  const labels = selector.map((one) => /^([^=]+)=(.*)$/.exec(one)?.slice(1));
  const wrong = selector.find((_one, index) => !labels[index]);
  if (wrong !== undefined) {
    print(`✗ ${visible(wrong)}: a label of the selector is key=value.`);
    return EXIT.unreadable;
  }
  const wanted = Object.fromEntries(labels.flatMap((pair) => (pair ? [[pair[0] ?? '', pair[1] ?? '']] : []))) as Record<string, string>;
  const learner = new Learner({ namespace, name: name ?? Object.values(wanted)[0] ?? namespace, selector: wanted });
  let tally: Tally | undefined;
  let cutOff: string | undefined;
  try {
    const opened = await openRecording({ file: flows, stdin, clusterName, signal });
    if ('problem' in opened) {
      print(`✗ ${visible(opened.problem)}`);
      return EXIT.unreadable;
    }
    ({ tally } = opened);
    for await (const batch of opened.flows) for (const one of batch) learner.take(one);
  } catch (error) {
    signal.throwIfAborted();
    cutOff = error instanceof Error ? error.message : String(error);
  }
  const learned = learner.result();
  const code = exitOf(learned, tally, cutOff);
  if (learned.policy) for (const line of learned.policy.yaml.trimEnd().split('\n')) print(visible(line));
  for (const line of wordsOf(learned, tally, cutOff)) print(`# ${visible(line)}`);
  return code;
}

function exitOf({ connections, unknown, contradicted }: Learned, tally: Tally | undefined, cutOff: string | undefined): number {
  if (!tally || (tally.records === 0 && (tally.unreadable > 0 || cutOff !== undefined))) return EXIT.unreadable;
  if (connections === 0) return tally.texts > 0 ? EXIT.unreadable : EXIT.empty;
  if (tally.unreadable > 0 || cutOff !== undefined) return EXIT.partly;
  return Object.keys(unknown).length > 0 || contradicted > 0 ? EXIT.undecided : EXIT.fine;
}

function wordsOf(
  { connections, denied, unanswered, contradicted }: Learned,
  tally: Tally | undefined,
  cutOff: string | undefined,
): readonly string[] {
  const { records = 0, unreadable = 0, texts = 0 } = tally ?? {};
  return [
    `${records} records read${unreadable > 0 ? `; ${unreadable} lines are no flows` : ''}; ${connections} connections of these pods learned, ${denied} denied and ${unanswered} unanswered ones left out.`,
    ...(connections === 0 ? ['Nothing of these pods was seen, so there is nothing to propose.'] : []),
    ...(contradicted > 0 ? [`${contradicted} kinds of connections that this was learned from would be DENIED by it: do not use it.`] : []),
    ...(cutOff === undefined ? [] : [`The recording breaks off: ${cutOff}.`]),
    ...(records === 0 || texts > 0 ? [`${WANTED_FORM}.`] : []),
  ];
}
