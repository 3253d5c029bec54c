import * as z from 'zod';
import { canonicalJson, type Json, type JsonObject } from '../json.ts';
import { formatPercent } from '../percent.ts';
import { type Fields, type ObjectRef, type Original, objectKey, type PlannedStage, type Write } from '../plan.ts';
import { detailsJson, detailsOf } from './details.ts';
import { type Impossible, impossible, type Planned } from './planned.ts';
import { parseRoute } from './route.ts';
import { weightAt } from './stages.ts';

/** A completed operation, as the audit record keeps it (the same shape as activities' `CompletedOperation`). */
export interface Completed {
  readonly opId: string;
  readonly originals: readonly Original[];
  readonly last: PlannedStage;
}

const Live = z.object({
  apiVersion: z.string(),
  kind: z.string(),
  metadata: z.looseObject({ name: z.string(), namespace: z.string(), uid: z.string(), generation: z.number() }),
});

/**
 * Plans the way back from the last completed operation: one stage to the originals, refused where the live objects are not what that
 * operation left. `live`: the objects of its write set as they are now.
 */
export function planBack(input: {
  readonly completed: Completed | undefined;
  readonly live: readonly unknown[];
  readonly service: { readonly name: string };
  readonly firstStage: number;
}): Planned | Impossible {
  const { completed, live, service, firstStage } = input;
  if (!completed) return impossible({ code: 'NothingToUndo', parameters: { service: service.name } });
  const writes: Write[] = [];
  const differences: string[] = [];
  for (const original of completed.originals) {
    const found = live.find((each) => sameObject(each, original.object));
    const parsed = Live.safeParse(found);
    const left = completed.last.writes.find(({ object }) => objectKey(object) === objectKey(original.object))?.after ?? original.fields;
    if (!parsed.success || parsed.data.metadata.uid !== original.uid)
      return impossible({ code: 'Gone', parameters: { object: nameOf(original.object) } });
    differences.push(...differencesOf(nameOf(original.object), left, found));
    const { uid, generation } = parsed.data.metadata;
    writes.push({ object: original.object, uid, generation, before: left, after: original.fields });
  }
  if (differences.length > 0) return impossible({ code: 'Drifted', parameters: { differences } });
  const { receiver, exposure } = receiverOf(completed.last, writes);
  const label = `back to ${formatPercent(exposure * 100)}`;
  return {
    kind: 'planned',
    // No fuse stands behind a way back: it would put the harm back in force.
    stages: [{ number: firstStage, label, exposure, soakMs: 0, writes }],
    from: wordsOf(writes, 'before'),
    to: wordsOf(writes, 'after'),
    explanation: [`Everything that operation ${completed.opId} changed goes back to what it was before, in one step.`],
    watched: exposure === 0 ? ['that nothing else changes the same fields'] : [`requests to ${receiver}`, `ready endpoints of ${receiver}`],
    details: detailsOfBack(writes, live, receiver),
  };
}

function differencesOf(object: string, expected: Fields, live: unknown): readonly string[] {
  return Object.entries(expected).flatMap(([pointer, value]) => {
    const found = valueAt(live, pointer);
    return canonicalJson(found) === canonicalJson(value)
      ? []
      : [`${object} ${pointer} is ${canonicalJson(found)}, was left at ${canonicalJson(value)}`];
  });
}

/** The value at a JSON pointer (RFC 6901), null where there is none. */
function valueAt(root: unknown, pointer: string): Json {
  let value: unknown = root;
  for (const step of pointer.split('/').slice(1)) {
    const key = step.replaceAll('~1', '/').replaceAll('~0', '~');
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, key)) return null;
    value = (value as Record<string, unknown>)[key];
  }
  return (value ?? null) as Json;
}

/** The receiver is whoever has the last stage's share in the fields it left; its share afterwards is the exposure. */
function receiverOf(last: PlannedStage, writes: readonly Write[]): { readonly receiver: string; readonly exposure: number } {
  for (const { before, after } of writes) {
    for (const { backends } of rulesIn(before)) {
      const base = backends.findLast((each) => Math.abs(shareIn(before, backends, each) - last.exposure) < 1e-9);
      if (base !== undefined) return { receiver: nameAt(before, base), exposure: shareIn(after, backends, base) };
    }
  }
  return { receiver: '', exposure: 0 };
}

function detailsOfBack(writes: readonly Write[], live: readonly unknown[], receiver: string): JsonObject {
  const rules = writes.flatMap(({ object, before }) => {
    const route = parseRoute(live.find((each) => sameObject(each, object)));
    if (!route) return [];
    return rulesIn(before).map(({ rule, backends }) => ({
      route,
      index: Number(rule.slice(rule.lastIndexOf('/') + 1)),
      backends: backends.map((base) => {
        const name = nameAt(before, base);
        return { name, weight: weightAt(before, base), receives: name === receiver };
      }),
    }));
  });
  return detailsJson(detailsOf({ namespace: writes[0]?.object.namespace ?? '' }, receiver, rules, []));
}

function rulesIn(fields: Fields): readonly { readonly rule: string; readonly backends: readonly string[] }[] {
  const rules = new Map<string, string[]>();
  for (const pointer of Object.keys(fields)) {
    const [, base, rule] = /^((.*)\/backendRefs\/\d+)\/name$/.exec(pointer) ?? [];
    if (base !== undefined && rule !== undefined) rules.set(rule, [...(rules.get(rule) ?? []), base]);
  }
  return [...rules].map(([rule, backends]) => ({ rule, backends }));
}

function shareIn(fields: Fields, backends: readonly string[], base: string): number {
  const total = backends.reduce((sum, each) => sum + weightAt(fields, each), 0);
  return total === 0 ? 0 : weightAt(fields, base) / total;
}

function nameAt(fields: Fields, base: string): string {
  const name = fields[`${base}/name`];
  return typeof name === 'string' ? name : '';
}

function wordsOf(writes: readonly Write[], side: 'before' | 'after'): string {
  const rules = writes.flatMap(({ [side]: fields }) =>
    rulesIn(fields).map(({ backends }) =>
      backends.map((base) => `${nameAt(fields, base)} ${formatPercent(shareIn(fields, backends, base) * 100)}`).join(', '),
    ),
  );
  if (rules.length === 0) return side === 'before' ? 'as the last operation left it' : 'as it was before the last operation';
  return [...new Set(rules)].join('; ');
}

function sameObject(live: unknown, ref: ObjectRef): boolean {
  const parsed = Live.safeParse(live);
  return parsed.success && objectKey({ ...parsed.data, ...parsed.data.metadata }) === objectKey(ref);
}

function nameOf({ kind, namespace, name }: ObjectRef): string {
  return `${kind} ${namespace}/${name}`;
}
