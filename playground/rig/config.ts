import { writeFile } from 'node:fs/promises';
import { stringify } from 'yaml';

/** How fast operations go: `demo` for people who watch, `fast` for scenarios. */
export type Pace = 'demo' | 'fast';

export interface ConfigOptions {
  readonly kubeconfig: string;
  /** How flows are read: every agent, or Relay. */
  readonly hubble: ({ readonly agents: readonly { readonly node: string; readonly address: string }[] } | { readonly relay: string }) & {
    readonly tls: Readonly<Record<'caFile' | 'certFile' | 'keyFile', string>>;
  };
  /** Where the demo's Gateway answers from here; empty where there is none. */
  readonly gatewayUrl: string;
  readonly prometheus: string;
  readonly temporal: { readonly address: string; readonly namespace: string };
  readonly slackApi: string;
  readonly database: string;
  readonly httpPort: number;
  readonly metricsPort: number;
  readonly pace: Pace;
  readonly gateExpiry?: string;
  readonly requestsPerMinute?: number;
  /** How long the traffic is watched after harm was put back. */
  readonly restoredWatch?: string;
  /** A further gate before the first stage above this share: `5%`. */
  readonly secondGate?: string;
  /** Further settings, by their key. */
  readonly settings?: Readonly<Record<string, unknown>>;
}

const TIMINGS = {
  demo: {
    soak: '20s',
    afterwatch: '2m',
    restoredWatch: '20s',
    hold: '5m',
    undoTold: '30s',
    freezeLook: '5s',
    heartbeat: '5s',
    realise: '10s',
    editEvery: '3s',
  },
  fast: {
    soak: '3s',
    afterwatch: '5s',
    restoredWatch: '0s',
    hold: '12s',
    undoTold: '3s',
    freezeLook: '1s',
    heartbeat: '2s',
    realise: '10s',
    editEvery: '3s',
  },
} as const;

/** The meshops.yaml of the playground as an object: one cluster, one channel, one gate that a reviewer must open. */
export function configOf(options: ConfigOptions): object {
  const {
    kubeconfig,
    hubble,
    gatewayUrl,
    prometheus,
    temporal,
    slackApi,
    database,
    httpPort,
    metricsPort,
    pace,
    gateExpiry = '5m',
    requestsPerMinute,
  } = options;
  const restoredWatch = options.restoredWatch ?? TIMINGS[pace].restoredWatch;
  return {
    clusters: {
      demo: { kubernetes: { kubeconfig }, hubble, prometheus, probe: { gateways: gatewayUrl ? { 'backend/mesh': gatewayUrl } : {} } },
    },
    channels: [{ id: 'C0MESH', cluster: 'demo', namespace: 'backend' }],
    identities: {
      rules: [
        { email: 'operator@example.com', groups: ['meshops:operators'] },
        { email: '*@example.com', groups: ['meshops:reviewers'] },
      ],
    },
    gates: ['0%', ...(options.secondGate ? [options.secondGate] : [])].map((above) => ({
      above,
      approvers: { usergroups: ['S0REVIEWERS'] },
      quorum: 1,
      expiry: gateExpiry,
    })),
    // Scenarios tell of other things than of a machine that is busy; those of latency bring their own limit.
    objectives: {
      default: pace === 'fast' ? { slo: '1%', latency: '4s', minRequests: 10 } : { slo: '1%', latency: '1s', minRequests: 50 },
    },
    timings: { ...TIMINGS[pace], restoredWatch },
    slack: {
      mode: 'http',
      teamIds: ['T0MESHOPS'],
      appId: 'A0MESHOPS',
      onCall: 'S0REVIEWERS',
      apiUrl: slackApi,
      ...(requestsPerMinute && { requestsPerMinute }),
    },
    temporal: { ...temporal, allowPlaintext: true },
    audit: { database },
    http: { port: httpPort, metricsPort },
    ...options.settings,
  };
}

/** Writes it. */
export async function writeConfig(file: string, options: ConfigOptions): Promise<undefined> {
  await writeFile(file, `# The playground's configuration, written at each start.\n${stringify(configOf(options))}`);
}
