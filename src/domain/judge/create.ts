import { driftWords, toolOf } from '../gitops/tool.ts';
import type { JsonObject } from '../json.ts';
import { Drops } from './drops.ts';
import type { DropEvidence, Evidence, RequestEvidence } from './evidence.ts';
import { budgetWords, harmWords, readinessWords } from './harm-words.ts';
import type { ExplainedJudge, JudgeSettings, Standing } from './judge.ts';
import { promote } from './promotion.ts';
import { Retries } from './retries.ts';
import { createSight } from './sight.ts';
import { type Settled, Snapshot } from './snapshot.ts';
import { Tally } from './tally.ts';
import { type Terms, termsOf } from './terms.ts';
import { Trial } from './trial.ts';
import { CHANGED, type Counts, type Harmful, type Verdict } from './verdict.ts';
import { countWords } from './words.ts';

/**
 * The judge of one watch. `resumed` is a snapshot of the same watch's judge; it goes on exactly where that one was. `carried` is what the
 * watch before has left of the operation's evidence (`Judge.carry`). What is of another version is not used: then it begins anew, without what it may
 * have heard.
 *
 * Harmful and drift stand once they are reached. Blind is news, told once for each gap: evidence is still heard, since what is seen of a
 * failing canary stays true however much is not seen.
 */
export function createJudge(settings: JudgeSettings, resumed?: JsonObject, carried?: JsonObject): ExplainedJudge {
  const parsed = Snapshot.safeParse(resumed);
  if (parsed.success) return new EventJudge(settings, parsed.data, carried);
  return new EventJudge(settings, undefined, resumed === undefined ? carried : { ...carried, version: 2, lost: true });
}

class EventJudge implements ExplainedJudge {
  readonly #settings: JudgeSettings;
  readonly #terms: Terms;
  readonly #trial: Trial;
  readonly #drops: Drops;
  readonly #retries: Retries;
  readonly #sight;
  readonly #tally: Tally;
  /** Latest event time heard. */
  #clock: number;
  #settled: Settled | undefined;

  constructor(settings: JudgeSettings, from: Snapshot | undefined, carried: JsonObject | undefined) {
    this.#settings = settings;
    this.#terms = termsOf(settings);
    this.#trial = new Trial(settings, this.#terms, from, carried);
    this.#drops = new Drops(from?.drops);
    this.#retries = new Retries(from?.retries);
    this.#sight = createSight(from?.gaps);
    this.#tally = new Tally(from);
    this.#clock = from?.clock ?? settings.startedAt;
    this.#settled = from?.settled ?? undefined;
  }

  get counts(): Counts {
    return this.#tally.counts;
  }

  hear(event: Evidence): Verdict | undefined {
    if (this.#settled) return this.#settled;
    // Blocks whose time is over are closed before the event is looked at.
    const time = event.at > this.#clock ? event.at : this.#clock;
    const isRequest = event.kind === 'request';
    const isHarm = this.#trial.pass(event.at, isRequest || event.kind === 'asked');
    const verdict = isHarm ? this.#harm(event.at) : isRequest ? this.#request(event) : this.#take(event);
    this.#clock = time;
    if (verdict) {
      this.#settled = verdict;
      return verdict;
    }
    const reason = this.#sight.news(time);
    return reason === undefined ? undefined : this.#blind(reason);
  }

  #take(event: Exclude<Evidence, RequestEvidence>): Settled | undefined {
    switch (event.kind) {
      case 'asked':
        this.#trial.ask(event.at);
        return undefined;
      case 'drop':
        return this.#drop(event);
      case 'readiness':
        return this.#readiness(event.service, event.ready, event.at);
      case 'gap':
        this.#sight.gap(event.node, event);
        this.#trial.hide();
        return undefined;
      case 'sight':
        this.#sight.sight(event.node);
        return undefined;
      case 'drift':
        return this.#drift(event);
      // What other judges hear is none of this one's; what nobody can be blamed for is no evidence.
      default:
        return undefined;
    }
  }

  #request(event: RequestEvidence): Harmful | undefined {
    const { side, failed, at } = event;
    this.#tally.request(event);
    // A retry is shown to people but is no evidence of its own, on either side.
    const known = failed ? this.#retries.known(event) : undefined;
    if (known !== 'again' && this.#trial.request(event, this.#sight.isHidden, known === 'twin')) return this.#harm(at);
    return side === CHANGED && failed ? this.#overBudget(at) : undefined;
  }

  #drop(event: DropEvidence): Harmful | undefined {
    if (!event.connection) {
      this.#drops.add(event);
      return undefined;
    }
    this.#tally.connection(event);
    if (event.side === 'stable') return undefined;
    return this.#trial.connection(event) ? this.#harm(event.at) : this.#overBudget(event.at);
  }

  #overBudget(at: number): Harmful | undefined {
    const { budget, objective } = this.#settings;
    const { requests, failures } = this.#tally.canary;
    if (budget === undefined || failures - objective * requests <= budget) return undefined;
    return this.#harmful('budget', at, budgetWords(this.counts, budget, objective));
  }

  #readiness(service: string, ready: number, at: number): Harmful | undefined {
    const { canaryService, exposure } = this.#settings;
    if (service !== canaryService || ready > 0 || exposure === 0) return undefined;
    return this.#harmful('readiness', at, readinessWords(service, this.counts));
  }

  #harm(at: number): Harmful {
    const { total, earlier } = this.#trial;
    const { judge, firstHarmAt } = total.leading();
    const [terms, counts, others] = [this.#terms, this.counts, this.#tally.othersSince(firstHarmAt ?? at)];
    return this.#harmful(judge, at, harmWords({ judge, firstHarmAt, total, terms, counts, earlier, others, settings: this.#settings }));
  }

  #harmful(judge: Harmful['judge'], at: number, words: string): Harmful {
    const { total } = this.#trial;
    const isFact = judge === 'readiness';
    const told = `${words}${this.#tally.kindWords()}${this.#drops.words()}`;
    return {
      kind: 'harmful',
      judge,
      counts: this.counts,
      firstHarmAt: (isFact ? undefined : total.leading().firstHarmAt) ?? at,
      decidedAt: at,
      logEvidence: Math.log(total.value()),
      logThreshold: Math.log(this.#terms.needed),
      words: told,
    };
  }

  #drift({ object, field, manager, found }: Extract<Evidence, { kind: 'drift' }>): Settled {
    const tool = toolOf(manager);
    const words = driftWords({ object, field, manager, found });
    return { kind: 'drift', counts: this.counts, object, field, manager, words, ...(tool && { tool }) };
  }

  #blind(reason: string): Verdict {
    const words = `${reason}: failures could be missed. ${countWords(this.counts)}.`;
    return { kind: 'blind', counts: this.counts, reason, words };
  }

  conclude(at: number): Verdict {
    if (this.#settled) return this.#settled;
    const now = Math.max(at, this.#clock);
    const reason = this.#sight.blind(now, this.#harmless());
    if (reason !== undefined) return this.#blind(reason);
    const { watch, startedAt, durationMs } = this.#settings;
    // A watch may wait for answers after its planned end, when nobody need ask any more.
    const end = watch === 'guard' ? now : Math.min(now, startedAt + durationMs);
    const verdict = promote(this.#settings, this.#terms, this.counts, this.#tally.silence(end));
    return { ...verdict, words: `${verdict.words}${this.#drops.words()}` };
  }

  /** So many lost events would keep the objective, even if each of them was a failed request of the canary. */
  #harmless(): number {
    const objective = this.#terms.objective ?? this.#settings.objective;
    const { requests, failures } = this.#tally.canary;
    return Math.floor((objective * requests - failures) / (1 - objective));
  }

  pending(at: number): string | undefined {
    if (this.#settled) return undefined;
    const now = Math.max(at, this.#clock);
    return this.#sight.pending(now) ?? (this.#trial.isOpen(now) ? 'requests of this watch may still be open' : undefined);
  }

  standing(): readonly Standing[] {
    const { total } = this.#trial;
    const [{ weights }, parts, { needed }] = [total, total.parts(), this.#terms];
    const each = (['objective', 'relative', 'silence'] as const).filter((judge) => weights[judge] > 0);
    const tests = each.map((judge) => ({ judge, evidence: parts[judge], needed: needed / weights[judge] }));
    return [{ judge: 'all', evidence: total.value(), needed }, ...tests];
  }

  carry(): JsonObject {
    return this.#trial.carry(this.counts);
  }

  snapshot(): JsonObject {
    const parts: Omit<Snapshot, 'settled'> & { readonly settled: Settled | null } = {
      version: 2,
      ...this.#trial.snapshot(),
      gaps: this.#sight.snapshot(),
      clock: this.#clock,
      ...this.#tally.snapshot(),
      settled: this.#settled ?? null,
      drops: this.#drops.snapshot().map(([cause, canary, stable]) => [cause, canary, stable]),
      retries: this.#retries.snapshot(this.#clock),
    };
    return structuredClone(parts) as unknown as JsonObject;
  }
}
