import { canonicalJson } from '../json.ts';
import type { Plan, Write } from './plan.ts';

/** What differs between the plan that people agreed to and the plan as it would be now: one line per field, for the thread. */
export function planDifferences(agreed: Plan, now: Plan): readonly string[] {
  const before = new Map(agreed.stages.flatMap((stage) => stage.writes.map((write) => [keyOf(stage.number, write), write])));
  const lines: string[] = [];
  for (const stage of now.stages) {
    for (const write of stage.writes) {
      const old = before.get(keyOf(stage.number, write));
      before.delete(keyOf(stage.number, write));
      lines.push(...(old ? fieldLines(old, write) : [`${nameOf(write)} is new in the plan`]));
    }
  }
  for (const write of before.values()) lines.push(`${nameOf(write)} is no longer in the plan`);
  return [...new Set(lines)];
}

const nameOf = (write: Write): string => `${write.object.kind} ${write.object.namespace}/${write.object.name}`;
const keyOf = (stage: number, write: Write): string => `${stage} ${nameOf(write)}`;

function fieldLines(old: Write, now: Write): readonly string[] {
  if (old.uid !== now.uid) return [`${nameOf(now)} was deleted and made again`];
  const fields = new Set([...Object.keys(old.before), ...Object.keys(now.before)]);
  const lines = [...fields]
    .filter((field) => canonicalJson(old.before[field]) !== canonicalJson(now.before[field]))
    .map(
      (field) =>
        `${nameOf(now)} ${field}: ${canonicalJson(old.before[field])} when the plan was made, ${canonicalJson(now.before[field])} now`,
    );
  if (lines.length === 0 && old.generation !== now.generation)
    return [`${nameOf(now)} was changed in fields that this operation does not manage`];
  return lines;
}
