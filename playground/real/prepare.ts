import { join } from 'node:path';
import { fromCache, type Search } from '../cluster/binaries.ts';
import { cilium, pods } from '../cluster/recipes/cilium.ts';
import { installPackages } from './packages.ts';

/** Absolute paths of what real nodes run. */
export interface RealPrograms {
  readonly agent: string;
  readonly operator: string;
  readonly cni: string;
  readonly relay: string;
  readonly pods: string;
  /** Sources of the BPF programs. */
  readonly bpf: string;
}

/** Finds or builds them; from empty caches that is 8 minutes of two idle cores. Runs where the module proxy and Debian can be reached. */
export async function prepareReal(search: Search): Promise<RealPrograms> {
  await installPackages(search);
  const folder = await fromCache(cilium, search);
  const podsFolder = await fromCache(pods, search);
  const path = (name: string): string => join(folder, name);
  return {
    agent: path('cilium-agent'),
    operator: path('cilium-operator'),
    cni: path('cilium-cni'),
    relay: path('hubble-relay'),
    pods: join(podsFolder, 'pods'),
    bpf: path('bpf'),
  };
}
