import type { JsonObject } from '../json.ts';
import { createJudge } from '../judge/create.ts';
import type { Evidence, RequestEvidence } from '../judge/evidence.ts';
import type { Judge, JudgeSettings } from '../judge/judge.ts';
import type { Counts, Verdict } from '../judge/verdict.ts';
import { number, percent, plural } from '../words/words.ts';
import { nodesIn, type ProofEvidence } from './evidence.ts';
import type { Sign } from './proof.ts';
import { listed } from './refusals.ts';

export interface EncryptionJudgeSettings extends JudgeSettings {
  /** `on` or `off`, for people. */
  readonly change: 'on' | 'off';
  /** True: the stage passes with a proof only. */
  readonly asks: boolean;
  /** A proof, and traffic that says something, are waited for until then (epoch ms). */
  readonly patientUntil: number;
}

/**
 * Judges a stage by the connections of its nodes, with the statistics of every other judge and their bound on rolling back what is healthy, and
 * passes it with a proof only: that nothing was lost does not say that anything is encrypted.
 */
export function createEncryptionJudge(settings: EncryptionJudgeSettings, resumed?: JsonObject, carried?: JsonObject): Judge {
  return new EncryptionJudge(settings, resumed, carried);
}

const MOST_PAIRS = 200;
/** So much of what is not proved is told and kept. */
const MOST_OPEN = 3;
const HANGS = ' (hang)';
/** Signs that are seen, and not only concluded. */
const ON_THE_WIRE: readonly Sign[] = ['capture', 'counters', 'flows'];

class EncryptionJudge implements Judge {
  readonly #settings: EncryptionJudgeSettings;
  readonly #inner: Judge;
  readonly #lost: Map<string, number>;
  #proof: ProofEvidence | undefined;
  /** What was not proved of the last stage that asked for it, in words. */
  #open: readonly string[];

  constructor(settings: EncryptionJudgeSettings, resumed: JsonObject | undefined, carried: JsonObject | undefined) {
    this.#settings = settings;
    this.#open = ((resumed ?? carried)?.['open'] ?? []) as readonly string[];
    this.#inner = createJudge(settings, resumed?.['inner'] as JsonObject | undefined, carried);
    this.#lost = new Map(Object.entries((resumed?.['lost'] ?? {}) as Record<string, number>));
  }

  get counts(): Counts {
    return this.#inner.counts;
  }

  hear(event: Evidence): Verdict | undefined {
    if (event.kind === 'proof') this.#prove(event);
    if (event.kind === 'request' && event.failed) this.#lose(event);
    const verdict = this.#inner.hear(event);
    return verdict && this.#said(verdict);
  }

  #prove(event: ProofEvidence): void {
    this.#proof = event;
    if (this.#settings.asks) this.#open = event.proof.kind === 'proved' ? [] : event.proof.words.slice(0, MOST_OPEN);
  }

  #lose({ pair, failure }: RequestEvidence): void {
    const name = pair === undefined ? '' : `${pair}${failure === 'hangs' ? HANGS : ''}`;
    if (this.#lost.has(name) || this.#lost.size < MOST_PAIRS) this.#lost.set(name, (this.#lost.get(name) ?? 0) + 1);
  }

  conclude(at: number): Verdict {
    const verdict = this.#inner.conclude(at);
    const proof = this.#proof?.proof;
    if (verdict.kind !== 'healthy' && verdict.kind !== 'no-traffic') return this.#said(verdict);
    if (!this.#settings.asks || proof?.kind === 'proved') return this.#said(verdict);
    const { counts } = this;
    const open = proof ? proof.words : ['nothing is known of the changed nodes yet'];
    const words = `Not proved: ${listed(open, MOST_OPEN)}. ${this.#countWords()}. Watch longer, or roll back.`;
    return { kind: 'blind', counts, reason: 'not proved', words };
  }

  pending(at: number): string | undefined {
    const open = this.#inner.pending?.(at);
    if (open !== undefined || !this.#settings.asks || at >= this.#settings.patientUntil) return open;
    const proof = this.#proof?.proof;
    if (proof?.kind !== 'proved') return proof?.words[0] ?? 'nothing is known of the changed nodes yet';
    // What pods send is worth waiting for: more of it says more.
    const isLittle = (this.#proof?.few?.length ?? 0) > 0 || this.counts.canary.requests < this.#settings.minRequests;
    return isLittle ? 'too few connections to tell yet' : undefined;
  }

  /** The same verdict, about connections between nodes. */
  #said(verdict: Verdict): Verdict {
    switch (verdict.kind) {
      case 'healthy':
        return { ...verdict, words: `${this.#countWords()}.${this.#proofWords()}`, ...this.#unseen() };
      case 'no-traffic':
        return {
          ...verdict,
          words: `${this.#countWords()}. That is too little to tell: ${verdict.needed} are needed.${this.#proofWords()}`,
        };
      case 'harmful':
        return {
          ...verdict,
          words: `${this.#countWords()}; ${percent(this.#settings.objective)} is allowed.${this.#worst()}`,
          harmed: this.#harmed(),
        };
      case 'blind':
        return verdict.reason === 'undecided'
          ? { ...verdict, words: `${this.#countWords()}: more than allowed, too few to prove harm.${this.#worst()}` }
          : { ...verdict, words: `${verdict.reason}: lost connections could be missed. ${this.#countWords()}.` };
      default:
        return verdict;
    }
  }

  /** What no watch of connections says, unless somebody has looked at the wire; and what was not proved when people let a stage pass. */
  #unseen(): { readonly unseen?: string } {
    const proof = this.#proof?.proof;
    const isSeen = proof?.kind === 'proved' && ON_THE_WIRE.includes(proof.by);
    const wire = `whether packets between nodes are ${this.#settings.change === 'on' ? 'encrypted' : 'plain'} on the wire`;
    const open = this.#open.length === 0 ? [] : [`and people went on although ${listed(this.#open)}`];
    const unseen = [...(isSeen ? [] : [wire]), ...open].join('; ');
    return unseen === '' ? {} : { unseen };
  }

  #countWords(): string {
    const { canary, stable } = this.counts;
    const side = ({ requests, failures }: Counts['canary']): string => `${number(failures)} of ${plural(requests, 'connection')} lost`;
    const others = stable.requests === 0 ? '' : `; between other nodes ${side(stable)}`;
    return `To and from changed nodes ${side(canary)}${others}`;
  }

  #worst(): string {
    const worst = [...this.#lost].toSorted((a, b) => b[1] - a[1]).filter(([name]) => name !== '');
    return worst.length === 0
      ? ''
      : ` Lost: ${listed(
          worst.map(([name, count]) => `${name} ${number(count)}`),
          4,
        )}.`;
  }

  /** Both ends of each pair that lost something: the node that is to blame has part in the most of it. */
  #harmed(): readonly string[] {
    const lost = new Map<string, number>();
    for (const [pair, count] of this.#lost) for (const node of nodesOf(pair)) lost.set(node, (lost.get(node) ?? 0) + count);
    return [...lost].toSorted((a, b) => b[1] - a[1]).map(([node]) => node);
  }

  /** How it is known, and what is not. */
  #proofWords(): string {
    if (!this.#proof || !this.#settings.asks) return '';
    const { proof, podless, few = [], expected } = this.#proof;
    const lost = expected > 0 ? ` ${plural(expected, 'connection')} more lost while agents restarted, as the plan says.` : '';
    const none = podless.length > 0 ? ` No pods run on ${listed(podless)}: nothing could be tried there.` : '';
    const silent = few.length > 0 ? `${none} Too few connections to tell: ${listed(few, 3)}.` : none;
    if (proof.kind !== 'proved') return `${lost}${silent}`;
    const what = this.#settings.change === 'on' ? 'encrypted' : 'plain';
    const how: Readonly<Record<typeof proof.by, string>> = {
      capture: `Seen ${what} on the wire.`,
      counters: "Seen in the peers' counters.",
      flows: 'Seen in flows.',
      regenerated: 'All programs were loaded anew; nothing was seen on the wire.',
      waited: `Keys and pods agree; the longest lag that was measured was waited out several times over. Nobody has looked at the wire.`,
    };
    return ` ${how[proof.by]}${lost}${silent}`;
  }

  snapshot(): JsonObject {
    return { inner: this.#inner.snapshot(), lost: Object.fromEntries(this.#lost), open: this.#open };
  }

  carry(): JsonObject | undefined {
    const inner = this.#inner.carry?.();
    return this.#open.length === 0 ? inner : { ...inner, open: this.#open };
  }
}

function nodesOf(lost: string): readonly string[] {
  return lost === '' ? [] : nodesIn(lost.replace(HANGS, ''));
}
