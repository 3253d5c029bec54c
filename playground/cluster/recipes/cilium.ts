import { cp } from 'node:fs/promises';
import { join } from 'node:path';
import { TOOLS_DIR, VERSIONS } from '../versions.ts';
import { buildArgs, go, requireGo } from './go.ts';
import type { Kitchen, Recipe } from './recipe.ts';

const MODULE = 'github.com/cilium/cilium';
const FOLDER = join(TOOLS_DIR, 'cilium');

/** Cilium's own programs, unmodified, and the sources of the BPF programs that its agent compiles. */
export const cilium: Recipe = {
  title: `cilium-agent, operator, CNI plugin and Relay ${VERSIONS.cilium}`,
  entry: `cilium-${VERSIONS.cilium}`,
  files: ['cilium-agent', 'cilium-operator', 'cilium-cni', 'hubble-relay', 'bpf/bpf_lxc.c'],
  verb: 'built',
  fill: async (staging, kitchen) => {
    await requireGo(kitchen);
    const build = (name: string, folder: string) => compile(kitchen, join(staging, name), `${MODULE}/${folder}`);
    // One after the other: each alone keeps every core busy, and the agent needs 2.5 GB.
    await build('cilium-agent', 'daemon');
    await build('cilium-operator', 'operator');
    await build('hubble-relay', 'hubble-relay');
    await build('cilium-cni', 'plugins/cilium-cni');
    const source = (await go('Cilium', ['list', '-mod=readonly', '-m', '-f', '{{.Dir}}', MODULE], kitchen, { cwd: FOLDER })).trim();
    await cp(join(source, 'bpf'), join(staging, 'bpf'), { recursive: true });
  },
};

const compile = (kitchen: Kitchen, output: string, target: string) => go(MODULE, buildArgs(output, '', target), kitchen, { cwd: FOLDER });

/** What runs in the pods of real nodes. Its entry carries its own number: raise it with its source. */
export const pods: Recipe = {
  title: 'servers and callers of the demo pods',
  entry: 'real-pods-2',
  files: ['pods'],
  verb: 'built',
  fill: async (staging, kitchen) => {
    await requireGo(kitchen);
    await compile(kitchen, join(staging, 'pods'), './pods');
  },
};
