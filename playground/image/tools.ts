import { readFileSync } from 'node:fs';
import { run } from '../cluster/command.ts';
import { inPath } from '../cluster/programs.ts';
import type { Kitchen } from '../cluster/recipes/recipe.ts';

/** Programs that make and run the image, by Debian's packages of the same names. */
export const PACKAGES = ['buildah', 'mmdebstrap', 'runc'] as const;

/** Debian's administration programs are not in everybody's PATH. */
const SBIN = '/usr/local/sbin:/usr/sbin:/sbin';

export type Machine = Pick<Kitchen, 'env' | 'signal' | 'say'> & { readonly uid: number | undefined };

/** The environment of everything that is run here. `chroot`: inside a container there is no second runtime for the steps of a build. */
export function imageEnv({ env }: Pick<Machine, 'env'>) {
  return {
    ...env,
    PATH: `${env['PATH'] ?? ''}:${SBIN}`,
    BUILDAH_ISOLATION: 'chroot',
    LC_ALL: 'C',
  };
}

function debianRelease(): string | undefined {
  try {
    const text = readFileSync('/etc/os-release', 'utf8');
    return /^ID="?debian"?$/m.test(text) ? /^VERSION_CODENAME="?([a-z]+)"?$/m.exec(text)?.[1] : undefined;
  } catch {
    // Optional by os-release(5); without it this is no Debian that we know.
    return undefined;
  }
}

/** What a machine can do: make the image (with Debian's release for the base), or the one line that says why not. */
export type Ability = { readonly able: true; readonly release: string } | { readonly able: false; readonly why: string };

/** Whether the image can be made here; installs Debian's packages by name where this may be done. */
export async function imageAbility(machine: Machine): Promise<Ability> {
  const { signal, say, uid } = machine;
  const release = debianRelease();
  if (release === undefined) return { able: false, why: 'the image is tried on Debian only: its base is made of Debian packages.' };
  if (uid !== 0) return { able: false, why: 'making the image needs root (mmdebstrap and chroot).' };
  const env = imageEnv(machine);
  const missing = PACKAGES.filter((name) => inPath(name, env) === undefined);
  if (missing.length === 0) return { able: true, release };
  say(`installing ${missing.join(', ')}`);
  const apt = (args: readonly string[]) =>
    run({ program: 'apt-get', args: [...args], env: { ...env, DEBIAN_FRONTEND: 'noninteractive' }, signal });
  const install = ['install', '-y', '-qq', '--no-install-recommends', ...missing];
  // The lists may never have been read on this machine: then the first try knows no package.
  if ((await apt(install)).code !== 0) {
    await apt(['update', '-qq']);
    const { code, tail } = await apt(install);
    if (code !== 0) {
      const last = tail.trim().split('\n').at(-1) ?? '';
      return { able: false, why: `${missing.join(', ')} could not be installed by apt-get: ${last}` };
    }
  }
  return { able: true, release };
}
