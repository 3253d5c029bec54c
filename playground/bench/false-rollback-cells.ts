import type { Healthy } from './false-rollback-play.ts';

/** Three rungs, the whole, and the afterwatch. */
const CLIMB = { exposures: [0.05, 0.25, 0.5, 1, 1], watchMs: [20_000, 20_000, 20_000, 20_000, 40_000] } as const;
/** Without the whole: for what needs a control all the time. */
const COMPARED = { ...CLIMB, exposures: [0.05, 0.25, 0.5, 0.5, 0.5] } as const;
const RATE = 40;
const steady = () => RATE;
const always = (share: number) => () => share;
function both(share: number | ((ms: number) => number)) {
  const failing = typeof share === 'number' ? always(share) : share;
  return { canary: failing, stable: failing };
}
/** Many requests for 3 s of 15, else few: about as many on average. */
const bursts = (ms: number) => (ms % 15_000 < 3_000 ? 120 : 20);
/** Both sides rise and fall together, within the objective. */
const drift = (ms: number) => 0.0055 + 0.0045 * Math.sin(ms / 4_000);
/** Shared outages: half of everything fails for 2 s of every 10. */
const outages = (ms: number) => (ms % 10_000 > 8_000 ? 0.5 : 0.005);
const usual = { rate: steady, ...both(0.01) } as const;
function pods(canary: number, stable: number, over: Partial<NonNullable<Healthy['denied']>> = {}): Healthy {
  return {
    exposures: [0.05, 0.05],
    watchMs: [300_000, 300_000],
    rate: always(10),
    ...both(0.005),
    denied: { canary, stable, everyMs: 15_000, peers: 1, ...over },
  };
}

/** What is simulated, and why it could break a judge. Every cell is healthy by definition, most exactly at the boundary. */
export const CELLS: Readonly<Record<string, Healthy>> = {
  'boundary: canary = control = objective 1%': { ...CLIMB, ...usual },
  'half of the objective': { ...CLIMB, ...usual, ...both(0.005) },
  'canary = control = 0.1%': { ...CLIMB, ...usual, ...both(0.001) },
  'objective 5%, all at 5%': { ...CLIMB, ...usual, ...both(0.05), settings: { objective: 0.05 } },
  'objective 0.1%, all at 0.1%': { ...CLIMB, ...usual, ...both(0.001), settings: { objective: 0.001 } },
  'control worse than the canary': { ...CLIMB, ...usual, stable: always(0.03) },
  'bursts of traffic, at the boundary': { ...CLIMB, rate: bursts, ...both(0.01) },
  'failures in bursts with the traffic': { ...CLIMB, rate: bursts, ...both((ms) => (bursts(ms) > 100 ? 0.01 : 0.001)) },
  'drifting failures within the objective': { ...CLIMB, ...usual, ...both(drift) },
  'diurnal drift of traffic and failures': {
    ...CLIMB,
    rate: (ms) => RATE * (1 + 0.9 * Math.sin(ms / 6_000)),
    ...both((ms) => 0.0055 + 0.0045 * Math.sin(ms / 6_000)),
  },
  'slow failures (900 ms), at the boundary': { ...CLIMB, ...usual, latency: ({ failed }) => (failed ? 900 : 1) },
  'slow failures at the end of batches': {
    ...CLIMB,
    rate: (ms) => (ms % 10_000 < 500 ? 800 : 1),
    ...both(0.01),
    latency: ({ failed }) => (failed ? 990 : 3),
  },
  'failures quicker than successes, much traffic': {
    exposures: [0.5, 0.5],
    watchMs: [1_500, 1_500],
    rate: always(2_000),
    ...both(0.005),
    latency: ({ failed }) => (failed ? 2 : 300),
  },
  'control fails by hanging, canary at once, limit 10 s': {
    exposures: [0.5],
    watchMs: [90_000],
    rate: always(400),
    ...both(0.001),
    latency: ({ canary, failed }) => (failed && !canary ? 9_900 : 1),
    settings: { slo: 'relative', lateMs: 10_000 },
  },
  'canary fails at once, control after 900 ms, in short watches': {
    exposures: [0.5, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5],
    watchMs: [6_000, 6_000, 6_000, 6_000, 6_000, 6_000, 6_000, 6_000],
    ...usual,
    ...both(0.08),
    latency: ({ canary, failed }) => (failed && !canary ? 900 : 1),
    settings: { slo: 'relative' },
  },
  'retries: 80% fail again, three times': { ...CLIMB, ...usual, retried: 0.8 },
  'one hot client that tries again for ever': { ...CLIMB, ...usual, ...both(0.008), retried: 1 },
  'share wanders during a watch': {
    ...CLIMB,
    ...usual,
    share: (ms, exposure) => (exposure === 1 ? 1 : Math.min(0.95, exposure * (1 + Math.sin(ms / 5_000)))),
  },
  'real share twice of what was asked': { ...CLIMB, ...usual, share: (_, exposure) => (exposure === 1 ? 1 : Math.min(0.9, 2 * exposure)) },
  'real share half of what was asked': { ...CLIMB, ...usual, share: (_, exposure) => (exposure === 1 ? 1 : exposure / 2) },
  'weight in force 3 s late': { ...CLIMB, ...usual, rate: always(100), share: (ms, exposure) => (ms < 3_000 ? 0 : exposure) },
  'slo relative, control at 5%': { ...COMPARED, ...usual, ...both(0.05), settings: { slo: 'relative' } },
  'slo relative, shared outages': { ...COMPARED, ...usual, ...both(outages), settings: { slo: 'relative' } },
  'slo relative, shared outages, canary answers 900 ms later': {
    ...COMPARED,
    ...usual,
    ...both(outages),
    latency: ({ canary }) => (canary ? 900 : 3),
    settings: { slo: 'relative' },
  },
  'slo excused, shared outages': { ...COMPARED, ...usual, ...both(outages), settings: { slo: 'excused' } },
  'slo excused, at the boundary': { ...COMPARED, ...usual, settings: { slo: 'excused' } },
  'each pod is denied a peer: 1+1 pods': pods(1, 1),
  'each pod is denied a peer: 1+3 pods': pods(1, 3),
  'each pod is denied a peer: 2+2 pods': pods(2, 2),
  'each pod is denied a peer: 2+4 pods': pods(2, 4),
  'each pod is denied a peer: 10+10 pods': pods(10, 10),
  'each pod is denied a peer: 9+1 pods': pods(9, 1),
  'peers denied on a schedule, all pods at once': pods(2, 4, { everyMs: 30_000, peers: 3 }),
  'scrapers and scanners, many peers': pods(2, 3, { everyMs: 3_000, peers: 50, isRandom: true }),
  'gateway connections dropped at the objective, canary cold': {
    ...COMPARED,
    ...usual,
    ...both(0),
    connections: { dropped: 0.01, canary: 1, stable: 0.1 },
  },
  'unsplit traffic beside split': {
    exposures: [0.5, 0.5],
    watchMs: [60_000, 60_000],
    rate: always(25),
    ...both(0.008),
    direct: { rate: always(50), failing: 0 },
  },
  'bursts of direct callers, errors of the gateway': {
    ...COMPARED,
    ...usual,
    direct: { rate: (ms) => (ms % 20_000 < 7_000 ? 200 : 1), failing: 0 },
    foreign: 0.05,
  },
  'header A/B, whose users fail more': {
    exposures: [0.2, 0.2],
    watchMs: [60_000, 60_000],
    rate: steady,
    canary: always(0.008),
    stable: always(0.001),
    settings: { split: false },
  },
  'cold canary pods fail within the objective': {
    ...COMPARED,
    ...usual,
    cold: (canary, ms) => ({ isCold: canary && ms < 10_000, failing: canary && ms < 10_000 ? 0.01 : 0.002 }),
  },
  'rolling restarts of stable': {
    ...COMPARED,
    ...usual,
    cold: (canary, ms, chance) => {
      const isCold = !canary && ms % 10_000 > 5_000 && chance.uniform() < 1 / 3;
      return { isCold, failing: isCold ? 0.03 : 0.008 };
    },
  },
  'a node comes and goes': { ...COMPARED, ...usual, churn: { everyMs: 7_000, ms: 1_500, share: 0.5 } },
  'an hour at a gate after the second stage': {
    exposures: [0.05, 0.25, 0.25, 0.25, 0.25, 0.25, 0.5, 1],
    watchMs: [20_000, 20_000, 900_000, 900_000, 900_000, 900_000, 20_000, 20_000],
    guards: [2, 3, 4, 5],
    rate: always(5),
    ...both(0.01),
  },
  'one watch alone: objective at 5%': { exposures: [1], watchMs: [120_000], ...usual, ...both(0.05), settings: { objective: 0.05 } },
  'one watch alone: relative at 10%': { exposures: [0.5], watchMs: [120_000], ...usual, ...both(0.1), settings: { slo: 'relative' } },
  'little traffic: 4 requests/s': { ...CLIMB, watchMs: [60_000, 60_000, 60_000, 60_000, 120_000], rate: always(4), ...both(0.01) },
};
