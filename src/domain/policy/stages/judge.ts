import { driftWords, toolOf } from '../../gitops/tool.ts';
import type { JsonObject } from '../../json.ts';
import type { Evidence } from '../../judge/evidence.ts';
import type { Judge } from '../../judge/judge.ts';
import { createSight } from '../../judge/sight.ts';
import { CHANGED, type Counts, type Harmful, type Verdict } from '../../judge/verdict.ts';
import { Before } from './before.ts';
import type { ConnectionEvidence } from './connection.ts';
import { Doubts } from './doubts.ts';
import type { DropsSettings } from './drops-settings.ts';
import { Expected, type Missing, missingWords } from './expected.ts';
import { acceptedKeys } from './group.ts';
import { Known } from './known.ts';
import { DropsSnapshot, type Settled } from './snapshot.ts';
import { doubtWords, harmWords, replacedWords, silentWords, unprovedWords, WATCH_LONGER } from './verdict-words.ts';

export type { DropsSettings } from './drops-settings.ts';

/** A scan or a restart brings many doubts in a moment: they are one question (ms of event time). */
const COLLECT_MS = 2_000;

/**
 * The judge of drops. One drop that is the candidate's doing is harm, without statistics: a mesh drops nothing by policy that it let through
 * a moment before, unless the policy is wrong or meant it, and what is meant was accepted. Who counts: peers inside with a known identity,
 * and peers that were let through in the recorded window. Everybody else (an address that nobody has seen) is a doubt, which people
 * decide: else one port scan would stop every policy.
 */
export function createDropsJudge(settings: DropsSettings, resumed?: JsonObject): Judge {
  const parsed = DropsSnapshot.safeParse(resumed);
  return new DropsJudge(settings, parsed.success ? parsed.data : undefined);
}

const MOST_AMBIENT = 50;
/** Groups in one question: as many as people can read. */
const MOST_ASKED = 10;

class DropsJudge implements Judge {
  readonly #settings: DropsSettings;
  readonly #accepted: ReadonlySet<string>;
  readonly #postponed: ReadonlySet<string>;
  readonly #meantBy: Map<string, number>;
  readonly #sight;
  readonly #known: Known;
  readonly #doubts: Doubts;
  readonly #expected: Expected;
  readonly #before: Before;
  /** Reasons that are no policy's, for which connections were dropped before the stage as well. */
  readonly #ambient: Set<string>;
  readonly #seen: { ingress: number; egress: number };
  readonly #canary: { requests: number; failures: number };
  readonly #stable: { requests: number; failures: number };
  #meant: number;
  #clock: number;
  /** Pods of the step that are left, once some are not. Looked at anew by each attempt. */
  #cohort: { readonly left: number; readonly of: number } | undefined;
  #settled: Settled | undefined;

  constructor(settings: DropsSettings, from: DropsSnapshot | undefined) {
    this.#settings = settings;
    this.#accepted = new Set(settings.accepted);
    this.#postponed = new Set(settings.postponed ?? []);
    this.#meantBy = new Map(Object.entries(from?.meantBy ?? {}));
    this.#sight = createSight(from?.gaps);
    this.#known = new Known(from?.known);
    this.#doubts = new Doubts(from?.doubts);
    this.#expected = new Expected(from?.expected);
    this.#ambient = new Set(from?.ambient ?? []);
    this.#seen = { ...(from?.seen ?? { ingress: 0, egress: 0 }) };
    this.#canary = { ...(from?.canary ?? { requests: 0, failures: 0 }) };
    this.#stable = { ...(from?.stable ?? { requests: 0, failures: 0 }) };
    this.#meant = from?.meant ?? 0;
    this.#clock = from?.clock ?? settings.from;
    // An attempt of an earlier version has heard it, and did not say so.
    this.#before = new Before(from?.unread === undefined && (from || !settings.hearsBefore) ? [] : (from?.unread ?? undefined));
    this.#settled = from?.settled ?? undefined;
  }

  get counts(): Counts {
    return { canary: { ...this.#canary }, stable: { ...this.#stable } };
  }

  hear(event: Evidence): Verdict | undefined {
    if (this.#settled) return this.#settled;
    const settled = this.#take(event);
    this.#clock = Math.max(this.#clock, event.at);
    if (settled) {
      this.#settled = settled;
      return settled;
    }
    const reason = this.#sight.news(this.#clock);
    if (reason !== undefined) return this.#blind(reason);
    return this.#asksNow() ? this.#doubtful() : undefined;
  }

  #take(event: Evidence): Settled | undefined {
    if (event.kind === 'connection') return this.#connection(event);
    if (event.kind === 'gap') this.#sight.gap(event.node, event);
    if (event.kind === 'sight') this.#sight.sight(event.node);
    if (event.kind === 'before') this.#before.told(event.unread);
    if (event.kind === 'cohort') this.#cohort = { left: event.left, of: event.of };
    if (event.kind !== 'drift') return undefined;
    const { object, field, manager, found } = event;
    const tool = toolOf(manager);
    const words = driftWords({ object, field, manager, found });
    return { kind: 'drift', counts: this.counts, object, field, manager, words, ...(tool && { tool }) };
  }

  #connection(event: ConnectionEvidence): Settled | undefined {
    const { at, side, outcome, cause, group } = event;
    if (at < this.#settings.from) {
      if (outcome === 'forwarded') this.#known.add(event);
      if (outcome === 'forwarded' && this.#isSomebody(event)) this.#expected.add(event);
      if (event.reason !== undefined && this.#ambient.size < MOST_AMBIENT) this.#ambient.add(event.reason);
      return undefined;
    }
    this.#seen[group.direction] += 1;
    if (side === CHANGED) this.#expected.saw(group);
    const count = side === CHANGED ? this.#canary : this.#stable;
    count.requests += 1;
    // An address that belonged to no name has been looked up meanwhile.
    if (outcome === 'forwarded' && this.#settings.observing && event.address !== '') {
      count.failures = Math.max(0, count.failures - this.#doubts.withdraw(event));
    }
    // Denied before as well: it is no news, and no reason to ask.
    if (outcome === 'forwarded' || cause === 'before' || (event.reason !== undefined && this.#ambient.has(event.reason))) return undefined;
    const meant = acceptedKeys(this.#accepted, group);
    if (this.#isWithin(meant)) {
      this.#meant += 1;
      return undefined;
    }
    count.failures += 1;
    if (meant.length === 0 && outcome === 'dropped' && cause === 'candidate' && this.#isSomebody(event)) return this.#harmful(event);
    this.#doubts.add(event, acceptedKeys(this.#postponed, group).length > 0);
    return undefined;
  }

  /** Counts one for the first of these accepted keys that has room; false when there are more than people accepted. */
  #isWithin(keys: readonly string[]): boolean {
    const counted = (key: string): number => this.#meantBy.get(key) ?? 0;
    const key = keys.find((one) => counted(one) < (this.#settings.limits?.[one] ?? Number.POSITIVE_INFINITY));
    if (key === undefined) return false;
    this.#meantBy.set(key, counted(key) + 1);
    return true;
  }

  #isSomebody(event: Pick<ConnectionEvidence, 'group' | 'address'>): boolean {
    return event.group.peer.kind === 'cluster' || this.#known.has(event);
  }

  #harmful({ at, group, example }: ConnectionEvidence): Harmful {
    const words = harmWords(group, example, this.#countWords());
    // One event decides, so there are no odds to show.
    const odds = { logEvidence: 0, logThreshold: 0 };
    return { kind: 'harmful', judge: 'drops', counts: this.counts, firstHarmAt: at, decidedAt: at, ...odds, words };
  }

  #asksNow(): boolean {
    const { asks, observing } = this.#settings;
    const since = this.#doubts.news;
    return asks && !observing && since !== undefined && this.#clock - since >= COLLECT_MS;
  }

  #doubtful(): Verdict {
    const all = this.#doubts.list(this.#accepted, this.#meantBy);
    // What is accepted is what was shown: the rest is asked about when these have been answered.
    const doubts = all.slice(0, MOST_ASKED);
    const words = doubtWords(all, this.#settings.observing, this.#countWords());
    return { kind: 'doubtful', counts: this.counts, doubts, words };
  }

  #blind(reason: string): Verdict {
    return { kind: 'blind', counts: this.counts, reason, words: `${reason}: drops could be missed. ${this.#countWords()}.` };
  }

  /** What was seen before the stage, is decided otherwise by it, and was not seen since. */
  #missing(): Missing {
    return this.#expected.missing(this.#accepted, (kind) => this.#isSomebody(kind), this.#settings.leastRequests ?? 1);
  }

  /** A watch that has not seen yet what its stage changes goes on for a while: the soak may just have been too short for it. */
  pending(at: number): string | undefined {
    const { asks, patientUntil = 0 } = this.#settings;
    if (!asks || this.#settled || at >= patientUntil || this.#doubts.since !== undefined || this.#sight.blind(at) !== undefined)
      return undefined;
    if (this.#before.isPending) return 'reading what there was before';
    const { needed } = this.#missing();
    return needed === undefined ? undefined : `waiting for ${needed}`;
  }

  /**
   * Silence holds where there was something to be seen: of what was seen before the stage, and is denied by it or decided for the first time. Silence
   * of a workload that was silent before is no reason to hold: it may sleep, and the fuse stays armed. In the whole of the observe window it is:
   * then the window has proved nothing in that direction, and it was the only look before enforcement.
   */
  conclude(at: number): Verdict {
    if (this.#settled) return this.#settled;
    const { observing, directions } = this.#settings;
    const reason = this.#sight.blind(Math.max(at, this.#clock));
    if (reason !== undefined) return this.#blind(reason);
    if (this.#doubts.since !== undefined) return this.#doubtful();
    const { counts } = this;
    const noTraffic = (words: string): Verdict => ({ kind: 'no-traffic', counts, needed: 1, words });
    const silent = directions.filter((direction) => this.#seen[direction] === 0);
    if (observing && silent.length > 0) return noTraffic(silentWords(silent));
    if (!observing && this.#cohort && this.#canary.requests === 0) return noTraffic(replacedWords(this.#cohort));
    const unknown = this.#settings.asks ? this.#before.unknown() : undefined;
    if (unknown !== undefined) return noTraffic(`${unknown}. ${this.#countWords()}. ${WATCH_LONGER}`);
    const { needed, unseen } = this.#missing();
    if (needed !== undefined) return noTraffic(unprovedWords(needed, this.#countWords()));
    const words = `${this.#countWords()}. ${observing ? 'Nothing of it would be dropped.' : 'Nothing that was allowed before was dropped.'}`;
    const left = missingWords(unseen);
    return {
      kind: 'healthy',
      counts,
      ...(unseen.length === 0 ? { words } : { words: `${words} Not seen in the watch: ${left}.`, unseen: left }),
    };
  }

  #countWords(): string {
    const all = this.#canary.requests + this.#stable.requests;
    const meant = this.#meant === 0 ? '' : `, ${this.#meant} dropped as accepted`;
    return `${all} new connections seen (${this.#seen.ingress} in, ${this.#seen.egress} out)${meant}`;
  }

  snapshot(): JsonObject {
    const settled = this.#settled && {
      ...this.#settled,
      counts: { canary: { ...this.#settled.counts.canary }, stable: { ...this.#settled.counts.stable } },
    };
    return {
      version: 1,
      gaps: Object.fromEntries(Object.entries(this.#sight.snapshot()).map(([node, gap]) => [node, { ...gap }])),
      known: this.#known.snapshot(),
      doubts: this.#doubts.snapshot(),
      ambient: [...this.#ambient],
      unread: this.#before.snapshot(),
      expected: this.#expected.snapshot(),
      seen: { ...this.#seen },
      canary: { ...this.#canary },
      stable: { ...this.#stable },
      meant: this.#meant,
      meantBy: Object.fromEntries(this.#meantBy),
      clock: this.#clock,
      settled: settled ?? null,
    };
  }
}
