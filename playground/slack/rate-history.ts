// The last two minutes of traffic, so that a page opened late still sees the whole curve.
import type { Panel, PanelState } from './panel.ts';

export interface RatePoint {
  /** Milliseconds since the epoch. */
  readonly at: number;
  readonly requests: number;
  readonly errors: number;
}

const keptMs = 120_000;
const keptPoints = 1_200;

export class RateHistory {
  readonly #now: () => number;
  readonly #services = new Map<string, RatePoint[]>();

  /** Listens to the panel until `signal` aborts. */
  constructor(panel: Panel | undefined, now: () => number, signal: AbortSignal) {
    this.#now = now;
    const leave = panel?.subscribe((state) => this.#add(state));
    signal.addEventListener('abort', () => leave?.(), { once: true });
  }

  all(): Readonly<Record<string, readonly RatePoint[]>> {
    return Object.fromEntries(this.#services);
  }

  #add(state: PanelState): void {
    const at = this.#now();
    for (const { service, requestsPerSecond, errorsPerSecond } of state.rates) {
      const kept = (this.#services.get(service) ?? []).filter((point) => at - point.at < keptMs);
      kept.push({ at, requests: requestsPerSecond, errors: errorsPerSecond });
      this.#services.set(service, kept.slice(-keptPoints));
    }
  }
}
