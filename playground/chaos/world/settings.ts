import { Config } from '../../../src/domain/config/schema.ts';
import type { ClockOptions } from './clocks.ts';
import { CLUSTER, NAMESPACE } from './mesh.ts';
import { TEAM } from './people.ts';

/** What differs between worlds; part of a schedule, so that a shrunk one says what matters. */
export interface WorldOptions {
  readonly routes?: number;
  readonly rules?: number;
  readonly afterwatchMs?: number;
  readonly budget?: number;
  readonly workers?: number;
  /** How long the gateway's controller takes (ms). */
  readonly controllerMs?: number;
  /** A second approval gate stands before shares above 50%, as the first before any. */
  readonly gates?: 1 | 2;
  /** Temporal ends a run at so many events. */
  readonly events?: number;
  /** Connections of the workload that policies are about. */
  readonly policies?: true;
  /** A second workload, whose policy selects the pods of the first as well. */
  readonly overlap?: true;
  readonly clocks?: ClockOptions;
  /** Temporal takes payloads of so many bytes. */
  readonly payload?: number;
}

const seconds = (count: number): string => `${count}s`;

/** meshops.yaml of the model: short soaks, two people to ask, a usergroup of approvers. */
export function configOf(options: WorldOptions): Config {
  const gate = { above: 0, approvers: { usergroups: ['S0REVIEWERS'] }, quorum: 1, expiry: '15m' };
  const second = { ...gate, above: 10 };
  return Config.parse({
    clusters: { [CLUSTER]: { kubernetes: { inCluster: true }, hubble: { agents: 'nodes' }, probe: 'off' } },
    channels: [{ id: '*', cluster: CLUSTER, namespace: NAMESPACE }],
    identities: { rules: [{ email: '*@example.com', groups: ['mesh-operators'] }] },
    gates: [gate, ...(options.gates === 1 ? [] : [second])],
    ladders: { default: [5, 10, 50, 100] },
    objectives: { default: { minRequests: 2, ...(options.budget !== undefined && { budget: options.budget }) } },
    timings: {
      soak: seconds(12),
      afterwatch: seconds((options.afterwatchMs ?? 40_000) / 1_000),
      restoredWatch: seconds(5),
      hold: seconds(120),
      undoTold: seconds(15),
      freezeLook: seconds(5),
      heartbeat: seconds(5),
      realise: seconds(20),
      editEvery: seconds(5),
    },
    policy: { window: '15s' },
    slack: { teamIds: [TEAM] },
  });
}
