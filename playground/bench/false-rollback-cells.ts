import type { Healthy } from './false-rollback-play.ts';

/** Three rungs, the whole, and the afterwatch. */
const CLIMB = { exposures: [0.05, 0.25, 0.5, 1, 1], watchMs: [30_000, 30_000, 30_000, 30_000, 60_000] } as const;
const steady = () => 60;
const always = (share: number) => () => share;
const both = (share: number | ((ms: number) => number)) => {
  const failing = typeof share === 'number' ? always(share) : share;
  return { canary: failing, stable: failing };
};
/** 200 requests/s for 3 s of 15, else 25: about 60 on average. */
const bursts = (ms: number) => (ms % 15_000 < 3_000 ? 200 : 25);
/** Both sides rise and fall together, within the objective. */
const drift = (ms: number) => 0.0055 + 0.0045 * Math.sin(ms / 4_000);
/** Shared outages: half of everything fails for 2 s of every 10. */
const outages = (ms: number) => (ms % 10_000 > 8_000 ? 0.5 : 0.005);

/** What is simulated, and why it could break a judge. Every cell is healthy by definition, most exactly at the boundary. */
export const CELLS: Readonly<Record<string, Healthy>> = {
  'boundary: canary = control = objective 1%': { ...CLIMB, rate: steady, ...both(0.01) },
  'half of the objective': { ...CLIMB, rate: steady, ...both(0.005) },
  'canary = control = 0.1%': { ...CLIMB, rate: steady, ...both(0.001) },
  'objective 5%, all at 5%': { ...CLIMB, rate: steady, ...both(0.05), settings: { objective: 0.05 } },
  'objective 0.1%, all at 0.1%': { ...CLIMB, rate: steady, ...both(0.001), settings: { objective: 0.001 } },
  'control worse than the canary': { ...CLIMB, rate: steady, canary: always(0.01), stable: always(0.03) },
  'bursts of traffic, at the boundary': { ...CLIMB, rate: bursts, ...both(0.01) },
  'failures in bursts with the traffic': { ...CLIMB, rate: bursts, ...both((ms) => (bursts(ms) > 100 ? 0.01 : 0.001)) },
  'drifting failures within the objective': { ...CLIMB, rate: steady, ...both(drift) },
  'slow failures (2 s late), at the boundary': { ...CLIMB, rate: steady, ...both(0.01), slowMs: 2_000 },
  'retries: 80% fail again, three times': { ...CLIMB, rate: steady, ...both(0.01), retried: 0.8 },
  'share wanders during a watch': {
    ...CLIMB,
    rate: steady,
    ...both(0.01),
    share: (ms, exposure) => (exposure === 1 ? 1 : Math.min(0.95, exposure * (1 + Math.sin(ms / 5_000)))),
  },
  'slo relative, control at 5%': {
    ...CLIMB,
    exposures: [0.05, 0.25, 0.5, 0.5, 0.5],
    rate: steady,
    ...both(0.05),
    settings: { slo: 'relative' },
  },
  'slo relative, shared outages': {
    ...CLIMB,
    exposures: [0.05, 0.25, 0.5, 0.5, 0.5],
    rate: steady,
    ...both(outages),
    settings: { slo: 'relative' },
  },
  'drops on both sides alike': { ...CLIMB, rate: steady, ...both(0.01), drops: { perSecond: 0.5, peers: 5 } },
  'many drops, and the share falls to half of what was asked': {
    ...CLIMB,
    rate: steady,
    ...both(0.01),
    share: (ms, exposure) => (exposure === 1 ? 1 : exposure * (0.75 + 0.25 * Math.sin(ms / 3_000))),
    drops: { perSecond: 2, peers: 50 },
  },
  'drops without a control, at the earlier rate': {
    exposures: [1, 1],
    watchMs: [120_000, 120_000],
    rate: always(30),
    ...both(0.01),
    drops: { perSecond: 0.05, peers: 5 },
    droppedBeforeMs: 600_000,
  },
  'one watch, one judge, whole alpha: objective at 5%': {
    exposures: [1],
    watchMs: [300_000],
    rate: always(30),
    ...both(0.05),
    settings: { objective: 0.05 },
    alone: true,
  },
  'one watch, one judge, whole alpha: relative at 10%': {
    exposures: [0.5],
    watchMs: [300_000],
    rate: always(30),
    ...both(0.1),
    settings: { slo: 'relative' },
    alone: true,
  },
  'little traffic: 4 requests/s': { ...CLIMB, watchMs: [120_000, 120_000, 120_000, 120_000, 300_000], rate: always(4), ...both(0.01) },
};
