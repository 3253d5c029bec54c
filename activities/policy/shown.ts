import { type CiliumPolicy, refOf } from '../../src/clients/kubernetes/objects.ts';
import { isObject, type JsonObject } from '../../src/domain/json.ts';
import type { Attachment } from '../../src/domain/lifecycle/plan.ts';
import type { Candidate } from '../../src/domain/policy/change.ts';
import { lineDifference } from '../../src/domain/policy/learn/difference.ts';
import { yamlOf } from '../../src/domain/policy/learn/yaml.ts';
import { type ReachChanges, reachChanges } from '../../src/domain/policy/reach/changes.ts';
import { reachLines } from '../../src/domain/policy/reach/words.ts';
import { specFields } from '../../src/domain/policy/stages/rule-document.ts';
import { type World, without } from '../../src/reading/policy/world.ts';
import { unhurried } from '../../src/reading/unhurried.ts';

/** Comparing longer texts line by line would hold up others on this thread. */
const MOST_LINES = 300;

/** What the candidate opens and closes, by the evaluator, over everything that the rules tell apart. */
export async function reachOf(
  document: JsonObject,
  existing: CiliumPolicy | undefined,
  world: World,
  signal: AbortSignal,
): Promise<ReachChanges> {
  const before = world.documents.map((one) => one as unknown as JsonObject);
  const others = existing ? without(world.documents, [refOf(existing)]).map((one) => one as unknown as JsonObject) : before;
  return unhurried(reachChanges(before, [...others, document], world.compile), signal);
}

/** `Opens: …. Closes: ….`: what approvers agree to. */
export function reachWords({ opens, closes, cut }: ReachChanges): string {
  const some = (lines: readonly string[]) => (lines.length === 0 ? 'nothing.' : lines.join(' '));
  const more = cut ? ' There are more kinds of connections than could be looked at.' : '';
  return `Opens: ${some(reachLines(opens))} Closes: ${some(reachLines(closes))}${more}`;
}

/** The policy as a file for the thread: what it opens and closes, how it differs from what is in force, and its text. */
export function attachmentOf({ document, sha256, source }: Candidate, existing: CiliumPolicy | undefined, reach: ReachChanges): Attachment {
  const { metadata } = document;
  const named = isObject(metadata) ? metadata['name'] : undefined;
  const name = typeof named === 'string' ? named : 'policy';
  const text = yamlOf(document);
  const head = [
    `# ${source}${sha256 === '' ? '' : `, sha256 ${sha256}`}`,
    ...list('opens', reachLines(reach.opens)),
    ...list('closes', reachLines(reach.closes)),
    ...(existing
      ? ['#', `# difference from policy ${name} as it is:`, ...differenceLines(existing, document)]
      : [`# no policy ${name} is there today`]),
    '---',
  ];
  return {
    name: `${name}-${sha256.slice(0, 12) || 'baseline'}.yaml`,
    title: `Policy ${name}`,
    comment: `The policy that is asked for. ${reachWords(reach)}`,
    text: `${head.join('\n')}\n${text}`,
  };
}

function list(title: string, lines: readonly string[]): readonly string[] {
  return lines.length === 0 ? [`# ${title}: nothing`] : [`# ${title}:`, ...lines.map((line) => `#   ${line}`)];
}

function differenceLines(existing: CiliumPolicy, document: JsonObject): readonly string[] {
  const [now, then] = [existing as unknown as JsonObject, document].map((one) => yamlOf(present(specFields(one))));
  if (now === undefined || then === undefined) return [];
  if (Math.max(now.split('\n').length, then.split('\n').length) > MOST_LINES) return ['#   (too long to be compared line by line)'];
  return lineDifference(now, then).map((line) => `#   ${line}`);
}

function present({ spec, specs }: ReturnType<typeof specFields>): JsonObject {
  return { ...(spec && { spec }), ...(specs && { specs }) };
}
