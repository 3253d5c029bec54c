/**
 * Every delay of the simulated mesh, in one place. `ideal` shows what the product itself costs; `cluster` is a plausible busy
 * cluster, so that figures taken here are not mistaken for those of an empty one.
 */
import type { Random } from './random.ts';
import { normal } from './random.ts';

/** Milliseconds: a median with a log-normal spread (sigma of the logarithm), cut at `max`. */
export interface Delay {
  readonly median: number;
  readonly sigma: number;
  readonly max: number;
}

export interface Delays {
  /** From an HTTPRoute seen in the operator's watch to its configuration handed to Envoy. */
  readonly operator: Delay;
  /** From pods, endpoints or policies seen by an agent to their effect on its node. */
  readonly agent: Delay;
  /** From a policy seen by an agent to its rules in force for the pods of that node. */
  readonly policy: Delay;
  /** From a pod's new labels to its new identity. The agent holds a changed identity back for `identity-change-grace-period` (5 s). */
  readonly identityChange: Delay;
  /** From a ready pod to its address in Envoy's endpoint list. */
  readonly endpointProgramming: Delay;
  /** From a pod's container start to its Ready condition. */
  readonly readiness: Delay;
  /** From a crash to the pod's Ready condition turning False: the readiness probe's period in a real cluster. */
  readonly crashSeen: Delay;
  /** From Envoy's access-log record to the flow in the agent's ring. */
  readonly flowLag: Delay;
  /** What Relay adds to a flow besides its sort buffer. */
  readonly relay: Delay;
  /** How long a healthy pod works on one request. */
  readonly serviceTime: Delay;
}

export type Preset = 'ideal' | 'cluster';

const none: Delay = { median: 0, sigma: 0, max: 0 };

export const presets: Readonly<Record<Preset, Delays>> = {
  ideal: {
    operator: none,
    agent: none,
    // Never none: what is written is not yet in force, and who relies on that must notice here.
    policy: { median: 20, sigma: 0.4, max: 80 },
    identityChange: { median: 30, sigma: 0.4, max: 120 },
    endpointProgramming: none,
    readiness: none,
    crashSeen: none,
    flowLag: none,
    relay: none,
    serviceTime: { median: 2, sigma: 0.3, max: 20 },
  },
  cluster: {
    operator: { median: 60, sigma: 0.5, max: 150 },
    agent: { median: 120, sigma: 0.6, max: 800 },
    policy: { median: 350, sigma: 0.6, max: 3_000 },
    identityChange: { median: 5_200, sigma: 0.03, max: 6_500 },
    endpointProgramming: { median: 150, sigma: 0.6, max: 1_000 },
    readiness: { median: 900, sigma: 0.4, max: 3_000 },
    crashSeen: { median: 3_000, sigma: 0.5, max: 10_000 },
    flowLag: { median: 15, sigma: 0.9, max: 400 },
    relay: { median: 5, sigma: 0.8, max: 200 },
    serviceTime: { median: 6, sigma: 0.5, max: 80 },
  },
};

/** One draw from a delay, in milliseconds. */
export const draw = (delay: Delay, random: Random): number =>
  delay.median === 0 ? 0 : Math.min(delay.max, delay.median * Math.exp(delay.sigma * normal(random)));
