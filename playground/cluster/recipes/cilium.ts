import { cp } from 'node:fs/promises';
import { join } from 'node:path';
import { runOrFail } from '../command.ts';
import { TOOLS_DIR, VERSIONS } from '../versions.ts';
import { built, goEnv } from './go.ts';
import type { Recipe } from './recipe.ts';

const MODULE = 'github.com/cilium/cilium';
const FOLDER = join(TOOLS_DIR, 'cilium');

/** Cilium's own programs, unmodified, and the sources of the BPF programs that its agent compiles. */
export const cilium: Recipe = {
  title: `cilium-agent, operator, CNI plugin and Relay ${VERSIONS.cilium}`,
  entry: `cilium-${VERSIONS.cilium}`,
  files: ['cilium-agent', 'cilium-operator', 'cilium-cni', 'hubble-relay', 'bpf/bpf_lxc.c'],
  verb: 'built',
  fill: async (staging, kitchen) => {
    const build = (name: string, folder: string) => built(kitchen, staging, { name, module: 'cilium', target: `${MODULE}/${folder}` });
    // One after the other: each alone keeps every core busy, and the agent needs 2.5 GB.
    await build('cilium-agent', 'daemon');
    await build('cilium-operator', 'operator');
    await build('hubble-relay', 'hubble-relay');
    await build('cilium-cni', 'plugins/cilium-cni');
    const list = { program: 'go', args: ['list', '-mod=readonly', '-m', '-f', '{{.Dir}}', MODULE], cwd: FOLDER };
    const source = (await runOrFail('Cilium', 'the Go module proxy', { ...list, env: goEnv(kitchen.env), signal: kitchen.signal })).trim();
    await cp(join(source, 'bpf'), join(staging, 'bpf'), { recursive: true });
  },
};

/** What runs in the pods of real nodes. Its entry carries its own number: raise it with its source. */
export const pods: Recipe = {
  title: 'servers and callers of the demo pods',
  entry: 'real-pods-3',
  files: ['pods'],
  verb: 'built',
  fill: (staging, kitchen) => built(kitchen, staging, { name: 'pods', module: 'cilium', target: './pods' }),
};
