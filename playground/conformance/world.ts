import { ciliumConfig } from '../cilium/apply-manifests.ts';
import { type Cilium, startCilium } from '../cilium/cilium.ts';
import type { Preset } from '../cilium/delays.ts';
import { createKube } from '../cilium/kube/client.ts';
import { resources } from '../cilium/kube/resources.ts';
import type { KubeObject, Pod } from '../cilium/kube/types.ts';
import type { ReportProgress } from '../cluster/progress.ts';
import { type Stack, startStack } from '../cluster/stack.ts';
import { CONTROL_ADDRESS } from '../real/addresses.ts';
import { startRealCilium } from '../real/cilium.ts';
import { layReal } from '../real/start.ts';
import { hearAll } from './hear.ts';
import { NAMESPACE, playScript } from './script.ts';
import type { Recording } from './summary.ts';

export interface WorldOptions {
  readonly kind: 'real' | 'simulated';
  readonly preset: Preset;
  readonly jitter: string;
  readonly turns: number;
  readonly signal: AbortSignal;
  readonly progress: ReportProgress;
  readonly say: (text: string) => void;
}

/** Plays the script in one world that is quiet but for it, and gives what its agents told. */
export async function recordIn(options: WorldOptions): Promise<Recording> {
  const { kind, signal, progress } = options;
  const programs = kind === 'real' ? await layReal(2, process.env, progress, signal) : undefined;
  const stack = await startStack({ signal, progress, ...(programs && { kubeAddress: CONTROL_ADDRESS }) });
  try {
    const cilium = programs
      ? await startRealCilium({
          stack,
          programs,
          nodes: 2,
          seed: 1,
          requestsPerSecond: 0,
          connectionsPerSecond: 0,
          identityMaxJitter: options.jitter,
          signal,
          progress: options.say,
        })
      : await startCilium({
          stack,
          preset: options.preset,
          settings: {
            'identity-max-jitter': options.jitter,
            'identity-change-grace-period': ciliumConfig['identity-change-grace-period'] ?? '',
          },
          load: { requestsPerSecond: 0, connectionsPerSecond: 0 },
          signal,
        });
    try {
      return await record(stack, cilium, options);
    } finally {
      await cilium.stop();
    }
  } finally {
    await stack.stop();
  }
}

async function record(stack: Stack, cilium: Cilium, { signal, say, turns }: WorldOptions): Promise<Recording> {
  const { kube: server } = stack;
  const kube = createKube({ url: server.url, caFile: server.caFile, token: server.token('simulator') });
  const config = await kube.get<KubeObject & { readonly data?: Readonly<Record<string, string>> }>(
    resources.configMaps,
    'kube-system',
    'cilium-config',
  );
  const ear = hearAll(cilium, stack.binaries.ciliumProtos, config.data?.['cluster-name'] ?? 'default');
  const nodes = new Map<string, string>();
  const note = async (): Promise<void> => {
    const { items } = await kube.list<Pod>(resources.pods);
    for (const { metadata, spec } of items) nodes.set(`${metadata.namespace}/${metadata.name}`, spec.nodeName ?? '');
  };
  const noting = setInterval(() => void note().catch(() => undefined), 1_000);
  try {
    const marks = await playScript({ cilium, kube, signal, say, turns });
    return { heard: ear.heard.filter(isOfScript), marks, nodes };
  } finally {
    clearInterval(noting);
    ear.stop();
    kube.close();
  }
}

/** Nothing but what the script's own callers did: worlds have noise of their own. */
function isOfScript({ flow }: Recording['heard'][number]): boolean {
  const ends = [flow.source, flow.destination];
  // Simulated kubelets probe their pods; real ones would, and the playground's do not.
  if (ends.some((end) => end?.labels?.includes('reserved:host'))) return false;
  const names = ends.map((end) => end?.namespace);
  return names.includes(NAMESPACE) || [flow.IP?.source, flow.IP?.destination].some((ip) => ip?.startsWith('203.0.113.7') ?? false);
}
