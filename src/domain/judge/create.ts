import type { DropEvidence, Evidence, RequestEvidence } from '../evidence.ts';
import type { JsonObject } from '../json.ts';
import type { Counts, Harmful, Verdict } from '../verdict.ts';
import type { Statistical } from './alpha.ts';
import { Drops } from './drops.ts';
import { createEvidence, type Evidences } from './eprocess.ts';
import type { ExplainedJudge, JudgeSettings, Standing } from './judge.ts';
import { Kinds } from './kinds.ts';
import { type Panel, panelOf } from './panel.ts';
import { promote } from './promotion.ts';
import { RelativeEvidence } from './relative.ts';
import { Retries } from './retries.ts';
import { createSight } from './sight.ts';
import { Silence } from './silence.ts';
import { fits, type Settled, Snapshot } from './snapshot.ts';
import { countWords, oddsWords, percent } from './words.ts';

/**
 * The judge of one watch. `resumed` is a snapshot of the same watch's judge; it goes on exactly where that one was. One that does not
 * fit (another version, another objective) is not used: then the watch begins anew.
 *
 * Harmful and drift stand once they are reached. Blind is news, told once for each gap: evidence is still heard, since what is seen of a
 * failing canary stays true however much is not seen.
 */
export function createJudge(settings: JudgeSettings, resumed?: JsonObject): ExplainedJudge {
  const panel = panelOf(settings);
  const parsed = Snapshot.safeParse(resumed);
  return new EventJudge(settings, panel, parsed.success && fits(parsed.data, settings, panel) ? parsed.data : undefined);
}

class EventJudge implements ExplainedJudge {
  readonly #settings: JudgeSettings;
  readonly #panel: Panel;
  readonly #objective: Evidences;
  readonly #relative: RelativeEvidence | undefined;
  readonly #drops: Drops | undefined;
  readonly #retries: Retries;
  readonly #sight;
  readonly #silence: Silence;
  readonly #kinds: Kinds;
  readonly #canary: { requests: number; failures: number; synthetic?: number };
  readonly #stable: { requests: number; failures: number; synthetic?: number };
  /** Latest event time heard, and up to when prior mass has been handed out. */
  #clock: number;
  #released: number;
  #settled: Settled | undefined;

  constructor(settings: JudgeSettings, panel: Panel, from: Snapshot | undefined) {
    const { startedAt, durationMs, exposure = 0.5 } = settings;
    this.#settings = settings;
    this.#panel = panel;
    this.#objective = createEvidence(panel.objective ?? settings.objective, from?.evidence);
    if (panel.alpha.relative > 0) this.#relative = new RelativeEvidence({ startedAt, durationMs, share: exposure }, from?.relative);
    if (panel.alpha.drops > 0) this.#drops = new Drops(settings, panel.alpha.drops, panel.control, from?.drops);
    this.#retries = new Retries(from?.retries);
    this.#sight = createSight(from?.gaps);
    this.#silence = new Silence(from?.silence);
    this.#kinds = new Kinds(from?.kinds);
    this.#canary = { ...(from?.canary ?? { requests: 0, failures: 0 }) };
    this.#stable = { ...(from?.stable ?? { requests: 0, failures: 0 }) };
    this.#clock = from?.clock ?? startedAt;
    this.#released = from?.released ?? startedAt;
    this.#settled = from?.settled ?? undefined;
  }

  get counts(): Counts {
    return { canary: { ...this.#canary }, stable: { ...this.#stable } };
  }

  hear(event: Evidence): Verdict | undefined {
    if (this.#settled) return this.#settled;
    const verdict = this.#pass(event.at) ?? this.#take(event);
    if (event.at > this.#clock) this.#clock = event.at;
    if (verdict) {
      this.#settled = verdict;
      return verdict;
    }
    const reason = this.#sight.news(this.#clock);
    return reason === undefined ? undefined : this.#blind(reason);
  }

  /** Blocks whose time is over are closed before the event is looked at. */
  #pass(at: number): Harmful | undefined {
    const time = at > this.#clock ? at : this.#clock;
    if (this.#relative?.pass(at, time) && this.#relative.value() >= this.#panel.needed.relative) return this.#worse(at);
    if (this.#drops?.pass(at, time) && this.#drops.reached) return this.#dropping(at);
    return undefined;
  }

  #take(event: Evidence): Settled | undefined {
    switch (event.kind) {
      case 'request':
        return this.#request(event);
      case 'drop':
        return this.#drop(event);
      case 'trouble':
        this.#drops?.trouble(event.words, Math.max(event.at, this.#clock));
        return undefined;
      case 'readiness':
        return this.#readiness(event.service, event.ready, event.at);
      case 'gap':
        this.#sight.gap(event.node, event);
        return undefined;
      case 'sight':
        this.#sight.sight(event.node);
        return undefined;
      case 'drift':
        return this.#drift(event);
      // Connections are judged by the policies' own judge.
      case 'connection':
      case 'tick':
        return undefined;
    }
  }

  #request(event: RequestEvidence): Harmful | undefined {
    const { side, failed, at } = event;
    const isCanary = side === 'canary';
    const count = isCanary ? this.#canary : this.#stable;
    count.requests += 1;
    if (failed) count.failures += 1;
    if (event.synthetic) count.synthetic = (count.synthetic ?? 0) + 1;
    // A retry is shown to people but is no evidence of its own, on either side.
    const counted = !failed || !this.#retries.again(event);
    if (isCanary) {
      this.#silence.heard(at);
      if (failed) this.#kinds.add(event.failure ?? 'failed');
      const harm = this.#canaryRequest(failed, counted, at);
      if (harm) return harm;
    }
    if (!counted) return undefined;
    this.#relative?.add(isCanary, failed, at, this.#clock);
    this.#drops?.request(isCanary, at, this.#clock);
    return this.#drops?.reached ? this.#dropping(at) : undefined;
  }

  #canaryRequest(failed: boolean, counted: boolean, at: number): Harmful | undefined {
    const { objective } = this.#panel;
    if (objective !== undefined) {
      // The clock stands at what was heard before this event, so the mass is known before its outcome.
      const mass = (this.#clock - this.#released) / Math.max(1, this.#settings.durationMs);
      this.#released = this.#clock;
      if (counted) this.#objective.add(mass, failed, at);
      else this.#objective.release(mass);
    }
    if (!failed) return undefined;
    if (objective !== undefined && this.#objective.value() >= this.#panel.needed.objective) {
      const words = `${countWords(this.counts)}. That is more than the ${percent(objective)} allowed (${this.#odds('objective')}).`;
      return this.#harmful('objective', this.#objective.firstHarmAt() ?? at, at, words);
    }
    return this.#overBudget(at);
  }

  #overBudget(at: number): Harmful | undefined {
    const { budget, objective } = this.#settings;
    const { requests, failures } = this.#canary;
    if (budget === undefined || failures - objective * requests <= budget) return undefined;
    const words = `${countWords(this.counts)}. That is more than ${budget} failures above the ${percent(objective)} allowed, which was the budget.`;
    return this.#harmful('budget', this.#objective.firstHarmAt() ?? at, at, words);
  }

  #worse(at: number): Harmful {
    const words = `${countWords(this.counts)}. That is worse than what its control does in the same time (${this.#odds('relative')}).`;
    return this.#harmful('relative', this.#relative?.firstHarmAt() ?? at, at, words);
  }

  #drop(event: DropEvidence): Harmful | undefined {
    const drops = this.#drops;
    if (!drops?.drop(event, this.#clock) || !drops.reached) return undefined;
    return this.#dropping(event.at);
  }

  #dropping(at: number): Harmful {
    const words = `${this.#drops?.words() ?? ''} (${this.#odds('drops')}). ${countWords(this.counts)}.`;
    return this.#harmful('drops', this.#drops?.firstHarmAt() ?? at, at, words);
  }

  #readiness(service: string, ready: number, at: number): Harmful | undefined {
    const { canaryService, exposure } = this.#settings;
    if (service !== canaryService || ready > 0 || exposure === 0) return undefined;
    const words = `${service} has no ready endpoint left, so every request sent to it fails. ${countWords(this.counts)}.`;
    return this.#harmful('readiness', at, at, words);
  }

  #odds(judge: Statistical): string {
    const { evidence, needed } = this.#standingOf(judge);
    return `evidence ${oddsWords(Math.log(evidence))} to 1, needed ${oddsWords(Math.log(needed))}`;
  }

  #harmful(judge: Harmful['judge'], firstHarmAt: number, decidedAt: number, words: string): Harmful {
    const { evidence, needed } = this.#standingOf(judge === 'relative' || judge === 'drops' ? judge : 'objective');
    const [logEvidence, logThreshold] = [Math.log(evidence), Number.isFinite(needed) ? Math.log(needed) : 0];
    const told = `${words}${this.#kinds.words()}`;
    return { kind: 'harmful', judge, counts: this.counts, firstHarmAt, decidedAt, logEvidence, logThreshold, words: told };
  }

  #drift({ object, field, manager, found }: Extract<Evidence, { kind: 'drift' }>): Settled {
    const words = `${manager || 'Somebody else'} changed ${field} of ${object} to ${found} while this was watched.`;
    return { kind: 'drift', counts: this.counts, object, field, manager, words };
  }

  #blind(reason: string): Verdict {
    const words = `${reason}: failures could be missed. ${countWords(this.counts)}.`;
    return { kind: 'blind', counts: this.counts, reason, words };
  }

  conclude(at: number): Verdict {
    if (this.#settled) return this.#settled;
    const now = Math.max(at, this.#clock);
    const reason = this.#sight.blind(now, this.#harmless());
    return reason === undefined ? promote(this.#settings, this.#panel, this.counts, this.#silence.at(now)) : this.#blind(reason);
  }

  /** So many lost events would keep the objective, even if each of them was a failed request of the canary. */
  #harmless(): number {
    const objective = this.#panel.objective ?? this.#settings.objective;
    const { requests, failures } = this.#canary;
    return Math.floor((objective * requests - failures) / (1 - objective));
  }

  pending(at: number): string | undefined {
    return this.#settled ? undefined : this.#sight.pending(Math.max(at, this.#clock));
  }

  standing(): readonly Standing[] {
    const { alpha } = this.#panel;
    return (['objective', 'relative', 'drops'] as const).filter((judge) => alpha[judge] > 0).map((judge) => this.#standingOf(judge));
  }

  #standingOf(judge: Statistical): Standing {
    if (judge === 'drops')
      return { judge, evidence: this.#drops?.value() ?? 1, needed: this.#drops?.threshold ?? Number.POSITIVE_INFINITY };
    const evidence = judge === 'relative' ? (this.#relative?.value() ?? 1) : this.#objective.value();
    return { judge, evidence, needed: this.#panel.needed[judge] };
  }

  snapshot(): JsonObject {
    const { settled } = { settled: this.#settled };
    const parts = {
      version: 1,
      evidence: this.#objective.snapshot(),
      gaps: this.#sight.snapshot(),
      silence: this.#silence.snapshot(),
      kinds: this.#kinds.snapshot(),
      clock: this.#clock,
      released: this.#released,
      canary: this.#canary,
      stable: this.#stable,
      settled: settled ?? null,
      ...(this.#relative && { relative: this.#relative.snapshot() }),
      ...(this.#drops && { drops: this.#drops.snapshot() }),
      retries: this.#retries.snapshot(this.#clock),
    };
    return structuredClone(parts) as unknown as JsonObject;
  }
}
