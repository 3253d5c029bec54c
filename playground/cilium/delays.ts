/**
 * Every delay of the simulated mesh, in one place. `ideal` is a real cluster with nothing else to do, as measured on agents of Cilium 1.20.2 (docs/
 * conformance.md): no part of it is faster than the real one. `cluster` is a plausible busy one.
 */
import { normal, type Random } from './random.ts';

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
  /** From a pod's new labels to its new identity, beside the times that cilium-config sets for it. */
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
  /** From the deletion of an agent's pod to its end. */
  readonly agentStop: Delay;
  /** From a new agent's pod to its readiness and its published key. */
  readonly agentStart: Delay;
  /** From the published key to the programs that encrypt. */
  readonly encryptLag: Delay;
  /** For how long peers still send to a node whose encryption is off. */
  readonly encryptGap: Delay;
}

export type Preset = 'ideal' | 'cluster';

/**
 * What cilium-config says of identities under each preset. Cilium's own defaults are 30 s and 5 s: every step of every policy would wait for
 * them, so `ideal` has both off, as a cluster may, and `cluster` the jitter that tests of real agents have.
 */
export const identityTimes: Readonly<
  Record<Preset, { readonly 'identity-max-jitter': string; readonly 'identity-change-grace-period': string }>
> = {
  ideal: { 'identity-max-jitter': '0s', 'identity-change-grace-period': '0s' },
  cluster: { 'identity-max-jitter': '2s', 'identity-change-grace-period': '5s' },
};

const none: Delay = { median: 0, sigma: 0, max: 0 };

export const presets: Readonly<Record<Preset, Delays>> = {
  ideal: {
    // HTTPRoute to CiliumEnvoyConfig: p50 40, max 232 ms.
    operator: { median: 40, sigma: 0.4, max: 230 },
    agent: none,
    // p50 113 to 197, p95 368 ms; out of force p50 70 to 272, p95 351 ms.
    policy: { median: 160, sigma: 0.45, max: 700 },
    identityChange: { median: 120, sigma: 0.5, max: 600 },
    endpointProgramming: none,
    readiness: none,
    crashSeen: none,
    // A verdict: p50 1.4, p95 6 ms.
    flowLag: { median: 1.4, sigma: 0.9, max: 25 },
    relay: none,
    serviceTime: { median: 2, sigma: 0.3, max: 20 },
    agentStop: { median: 100, sigma: 0.3, max: 200 },
    agentStart: { median: 100, sigma: 0.3, max: 200 },
    // Never none: a key is published before anything is encrypted, and who relies on that must notice here.
    encryptLag: { median: 400, sigma: 0.2, max: 600 },
    encryptGap: { median: 300, sigma: 0.1, max: 400 },
  },
  cluster: {
    operator: { median: 60, sigma: 0.5, max: 150 },
    agent: { median: 120, sigma: 0.6, max: 800 },
    policy: { median: 350, sigma: 0.6, max: 3_000 },
    identityChange: { median: 200, sigma: 0.5, max: 1_500 },
    endpointProgramming: { median: 150, sigma: 0.6, max: 1_000 },
    readiness: { median: 900, sigma: 0.4, max: 3_000 },
    crashSeen: { median: 3_000, sigma: 0.5, max: 10_000 },
    flowLag: { median: 15, sigma: 0.9, max: 400 },
    relay: { median: 5, sigma: 0.8, max: 200 },
    serviceTime: { median: 6, sigma: 0.5, max: 80 },
    // Measured on unmodified agents of Cilium 1.20.2: 1.0 to 2.1 s, 0.5 to 1.8 s, 2.4 to 3.9 s, 2.9 to 3.6 s.
    agentStop: { median: 1_500, sigma: 0.2, max: 2_100 },
    agentStart: { median: 1_000, sigma: 0.35, max: 1_800 },
    encryptLag: { median: 3_100, sigma: 0.13, max: 3_900 },
    encryptGap: { median: 3_200, sigma: 0.06, max: 3_600 },
  },
};

/** One draw from a delay, in milliseconds. */
export function draw(delay: Delay, random: Random): number {
  return delay.median === 0 ? 0 : Math.min(delay.max, delay.median * Math.exp(delay.sigma * normal(random)));
}
