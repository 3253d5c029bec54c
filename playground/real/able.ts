import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { inPath } from '../cluster/programs.ts';

type Env = Readonly<Record<string, string | undefined>>;

const PROGRAMS = ['unshare', 'nsenter', 'setpriv', 'ip'] as const;

/** Where cgroup v2 is mounted here; undefined where it is not. */
export function cgroupMount(mounts = readFileSync('/proc/self/mountinfo', 'utf8')): string | undefined {
  return mounts
    .split('\n')
    .find((line) => line.includes(' - cgroup2 '))
    ?.split(' ')[4];
}

// What real nodes need of a kernel: namespaces, BPF and its file system, links of these kinds, classifiers.
const TRIAL = [
  'mount -t bpf bpf /sys/fs/bpf',
  'ip link set lo up',
  'ip link add name left type veth peer name right',
  'ip link add name bridge0 type bridge',
  'ip link add name tunnel0 type vxlan external dstport 8472',
  'test -e /sys/kernel/btf/vmlinux || test -e /proc/sys/net/core/bpf_jit_enable',
].join(' && ');

/** Why real Cilium nodes cannot run on this machine, in one line; undefined where they can. Nothing outlives the question. */
export function whyNotReal(env: Env): string | undefined {
  if (process.platform !== 'linux') return `real Cilium nodes need Linux, and this is ${process.platform}`;
  if (process.getuid?.() !== 0) return 'real Cilium nodes need root, for network namespaces and BPF';
  const missing = PROGRAMS.filter((name) => inPath(name, env) === undefined);
  if (missing.length > 0) return `real Cilium nodes need ${missing.join(', ')} in PATH`;
  if (cgroupMount() === undefined) return 'real Cilium nodes need cgroup v2, which is not mounted here';
  const trial = spawnSync('unshare', ['--fork', '--pid', '--mount', '--net', '--cgroup', '--', 'sh', '-c', TRIAL], { encoding: 'utf8' });
  if (trial.status === 0) return undefined;
  return `real Cilium nodes need namespaces, BPF, veth, bridge and vxlan, which this machine does not give: ${trial.stderr.trim().split('\n')[0]}`;
}
