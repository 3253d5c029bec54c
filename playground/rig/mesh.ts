import { type Cilium, startCilium } from '../cilium/cilium.ts';
import { step } from '../cluster/progress.ts';
import type { Stack } from '../cluster/stack.ts';
import type { NodeCount } from '../real/addresses.ts';
import { startRealCilium } from '../real/cilium.ts';
import type { RealPrograms } from '../real/prepare.ts';
import type { RigOptions } from './rig.ts';

/** What real nodes are started with. */
export interface RealMesh {
  readonly programs: RealPrograms;
  readonly nodes: NodeCount;
  /** Cilium's own setting; its default is 30 s. */
  readonly identityMaxJitter: string;
}

type MeshOptions = Pick<RigOptions, 'signal' | 'progress' | 'preset' | 'seed' | 'requestsPerSecond' | 'real'>;

/** Starts the mesh under the product: real nodes where they are asked for, else simulated ones. */
export function startMesh(stack: Stack, options: MeshOptions): Promise<Cilium> {
  const { signal, progress, preset, seed, requestsPerSecond, real } = options;
  if (real) {
    return step(progress, 'Cilium (real) and the demo mesh', async (say) => {
      const started = await startRealCilium({
        stack,
        seed,
        signal,
        progress: say,
        ...(requestsPerSecond !== undefined && { requestsPerSecond }),
        ...real,
      });
      return { value: started, detail: `${started.nodes.length} nodes, ${started.pods().length} pods, gateway at ${started.gateway.url}` };
    });
  }
  return step(progress, 'Cilium (simulated), Envoy and the demo mesh', async () => {
    const load = requestsPerSecond === undefined ? {} : { load: { requestsPerSecond } };
    const started = await startCilium({ stack, preset, seed, signal, ...load });
    return { value: started, detail: `gateway at ${started.gateway.url}` };
  });
}
