import { canonicalJson, type JsonObject } from '../json.ts';
import { differencesOf, Live, nameOf, sameObject } from '../lifecycle/live.ts';
import { type Fields, type ObjectRef, objectKey, type PlannedStage, type Write } from '../lifecycle/plan.ts';
import { alreadyBack, type Completed, movedBy } from '../lifecycle/way-back.ts';
import { formatPercent } from '../words/percent.ts';
import { headerWords, isOurs, RULES } from './ab-rules.ts';
import type { Header } from './change.ts';
import { climbBack, type ReceiversOf, raises } from './climb-back.ts';
import { detailsJson, detailsOf } from './details.ts';
import { gainersAt } from './gainers.ts';
import { type Impossible, impossible, type Planned } from './planned.ts';
import { type HttpRoute, parseRoute } from './route.ts';
import { indexOf, nameAt, rulesIn, shareIn, shareOfAll } from './rule-fields.ts';
import { weightAt } from './stages.ts';

interface BackInput {
  readonly completed: Completed | undefined;
  /** The objects of its write set as they are now. */
  readonly live: readonly unknown[];
  readonly service: { readonly name: string };
  readonly ladder: readonly number[];
  readonly firstStage: number;
  /** The operation that is meant, where a button names it. */
  readonly of?: string;
}

/**
 * Plans the way back from the last completed operation, refused where the live objects are not what that operation left, or where it
 * was a way back itself. What lowers the canary goes in one step; what raises it is a forward change: it climbs, and is watched.
 */
export function planBack({ completed, live, service, ladder, firstStage, of }: BackInput): Planned | Impossible {
  if (completed?.isWayBack) return impossible(alreadyBack(service.name, completed));
  const moved = completed ? movedBy(completed) : [];
  if (!completed || moved.length === 0) return impossible({ code: 'NothingToUndo', parameters: { service: service.name } });
  if (of !== undefined && of !== completed.opId) return impossible({ code: 'NotTheLast', parameters: { opId: of, last: completed.opId } });
  const writes: Write[] = [];
  const differences: string[] = [];
  for (const { original, left } of moved) {
    const found = live.find((each) => sameObject(each, original.object));
    const parsed = Live.safeParse(found);
    if (!parsed.success || parsed.data.metadata.uid !== original.uid)
      return impossible({ code: 'Gone', parameters: { object: nameOf(original.object) } });
    differences.push(...differencesOf(nameOf(original.object), left, found));
    const { uid, generation } = parsed.data.metadata;
    writes.push({ object: original.object, uid, generation, before: left, after: original.fields });
  }
  if (differences.length > 0) return impossible({ code: 'Drifted', parameters: { differences } });
  const header = openedHeader(writes);
  if (header !== undefined) return impossible({ code: 'HeaderAgain', parameters: { service: service.name, opId: completed.opId, header } });
  return planned(completed, writes, live, { ladder, firstStage });
}

function planned(
  completed: Completed,
  writes: readonly Write[],
  live: readonly unknown[],
  { ladder, firstStage }: Pick<BackInput, 'ladder' | 'firstStage'>,
): Planned {
  const receiversOf = receiversIn(completed, writes);
  const receiver = writes.flatMap((write) =>
    rulesIn(write.before).flatMap((rule) => receiversOf(write, rule).map((base) => nameAt(write.before, base))),
  )[0];
  const [now, then] = [largestShare(writes, 'before', receiversOf), largestShare(writes, 'after', receiversOf)];
  const isForward = raises(writes, receiversOf);
  const stages = isForward ? climbBack(writes, receiversOf, ladder, firstStage) : [oneStep(writes, firstStage, then)];
  const name = receiver ?? '';
  return {
    kind: 'planned',
    stages,
    from: wordsOf(writes, 'before'),
    to: wordsOf(writes, 'after'),
    explanation: isForward ? forwardWords(completed, name, now, then) : lowersWords(completed),
    watched: isForward ? [`requests to ${name}: status, latency, resets`, `ready endpoints of ${name}`] : [],
    details: detailsOfBack(writes, live, name, receiversOf),
    back: { of: completed.opId, ...(completed.endedAt !== undefined && { completedAt: completed.endedAt }) },
    lowers: !isForward,
    gains: gainersAt(writes, (object) => routeOf(live, object)),
  };
}

function lowersWords({ opId }: Completed): readonly string[] {
  return [
    `Everything that operation ${opId} changed goes back to what it was before, in one step. Nothing watches the traffic afterwards.`,
  ];
}

function forwardWords({ opId }: Completed, receiver: string, now: number, then: number): readonly string[] {
  const rises = then > now ? `raises ${receiver} from ${percentOf(now)} to ${percentOf(then)}` : `sends more requests to ${receiver}`;
  return [
    `Going back to the state before operation ${opId} ${rises}. That is a forward change: it needs an approval, climbs in steps and is watched.`,
  ];
}

/** No fuse stands behind it: it would put back in force what was taken away. */
function oneStep(writes: readonly Write[], number: number, exposure: number): PlannedStage {
  return { number, label: `back to ${percentOf(exposure)}`, exposure, soakMs: 0, writes };
}

/** The header of a rule of ours that would come back: sending its requests to the canary again is a change to ask for by name. */
function openedHeader(writes: readonly Write[]): string | undefined {
  const own = (fields: Fields): readonly JsonObject[] => {
    const rules = fields[RULES];
    return (Array.isArray(rules) ? (rules as readonly JsonObject[]) : []).filter(isOurs);
  };
  for (const { before, after } of writes) {
    const there = own(before).map((rule) => canonicalJson(rule));
    const [again] = own(after).filter((rule) => !there.includes(canonicalJson(rule)));
    if (again) return headerOf(again);
  }
  return undefined;
}

function headerOf(rule: JsonObject): string {
  const [match] = (rule['matches'] ?? []) as readonly { readonly headers?: readonly Header[] }[];
  const header = match?.headers?.at(-1);
  return header ? headerWords(header) : '';
}

/**
 * Who received: the fields that the record calls the operation's own, or (records of earlier versions) whoever has the last stage's share
 * in what it left.
 */
function receiversIn({ originals, last }: Completed, writes: readonly Write[]): ReceiversOf {
  const own = new Map(originals.map(({ object, own: fields = [] }) => [objectKey(object), fields]));
  const guessed = guessReceiver(last, writes);
  return ({ object, before }, { backends }) => {
    const named = backends.filter((base) => own.get(objectKey(object))?.includes(`${base}/weight`));
    return named.length > 0 ? named : backends.filter((base) => nameAt(before, base) === guessed);
  };
}

function guessReceiver(last: PlannedStage, writes: readonly Write[]): string {
  for (const { before } of writes) {
    for (const { backends } of rulesIn(before)) {
      const base = backends.findLast((each) => Math.abs(shareIn(before, backends, each) - last.exposure) < 1e-9);
      if (base !== undefined) return nameAt(before, base);
    }
  }
  return '';
}

function largestShare(writes: readonly Write[], side: 'before' | 'after', receiversOf: ReceiversOf): number {
  const shares = writes.flatMap((write) =>
    rulesIn(write.before).map((rule) => shareOfAll(write[side], rule.backends, receiversOf(write, rule))),
  );
  return Math.max(0, ...shares);
}

function detailsOfBack(writes: readonly Write[], live: readonly unknown[], receiver: string, receiversOf: ReceiversOf): JsonObject {
  const rules = writes.flatMap((write) => {
    const route = routeOf(live, write.object);
    if (!route) return [];
    return rulesIn(write.before).map((rule) => ({
      route,
      index: indexOf(rule.rule),
      backends: rule.backends.map((base) => ({
        name: nameAt(write.before, base),
        weight: weightAt(write.before, base),
        receives: receiversOf(write, rule).includes(base),
      })),
    }));
  });
  return detailsJson(detailsOf({ namespace: writes[0]?.object.namespace ?? '' }, receiver, rules, []));
}

function wordsOf(writes: readonly Write[], side: 'before' | 'after'): string {
  const rules = writes.flatMap(({ [side]: fields }) =>
    rulesIn(fields).map(({ backends }) =>
      backends.map((base) => `${nameAt(fields, base)} ${percentOf(shareIn(fields, backends, base))}`).join(', '),
    ),
  );
  if (rules.length === 0) return side === 'before' ? 'as the last operation left it' : 'as it was before the last operation';
  return [...new Set(rules)].join('; ');
}

function percentOf(share: number): string {
  return formatPercent(share * 100);
}

function routeOf(live: readonly unknown[], object: ObjectRef): HttpRoute | undefined {
  return parseRoute(live.find((each) => sameObject(each, object)));
}
