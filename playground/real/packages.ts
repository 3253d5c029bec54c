import type { Env } from '../cluster/cache.ts';
import { commandFailure, run } from '../cluster/command.ts';
import { StackFailure } from '../cluster/failure.ts';
import { inPath } from '../cluster/programs.ts';
import { type ReportProgress, step } from '../cluster/progress.ts';

/** Where the compiler is that the agent calls by its plain name. */
export const LLVM_BIN = '/usr/lib/llvm-19/bin';

/** Debian's packages of what an agent calls, by a program of each. */
const PACKAGES: Readonly<Record<string, string>> = {
  clang: 'clang-19',
  llc: 'llvm-19',
  iptables: 'iptables',
  ipset: 'ipset',
  bpftool: 'bpftool',
};

/**
 * Installs what is missing of the programs that a Cilium agent calls: clang and llc 19, iptables, ipset; and bpftool, by which tests see what is left.
 * @throws StackFailure with what to install where this cannot
 */
export async function installPackages(options: { readonly env: Env; readonly signal: AbortSignal; readonly progress: ReportProgress }) {
  const env = { ...options.env, PATH: `${LLVM_BIN}:${options.env['PATH'] ?? ''}` };
  const missing = Object.entries(PACKAGES).flatMap(([program, name]) => (inPath(program, env) === undefined ? [name] : []));
  if (missing.length === 0) return;
  await step(options.progress, missing.join(', '), async (say) => {
    const apt = (...args: readonly string[]) =>
      run({ program: 'apt-get', args, env: { ...env, DEBIAN_FRONTEND: 'noninteractive', LC_ALL: 'C' }, signal: options.signal });
    say('reading the package lists');
    const update = await apt('update');
    if (update.code === 'missing') {
      throw new StackFailure('missing-tool', `Cilium's agent needs ${missing.join(', ')}, and there is no apt-get here. Install them.`);
    }
    say('installing');
    const installed = await apt('install', '-y', '--no-install-recommends', ...missing);
    if (installed.code !== 0) throw commandFailure(missing.join(', '), 'the Debian package archive', installed);
    return { value: undefined, detail: 'installed from Debian' };
  });
}
