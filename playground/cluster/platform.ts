import { StackFailure } from './failure.ts';

/** What the real binaries exist for. `goArch` is also Debian's name for it. */
export type Platform = { readonly goArch: 'amd64' | 'arm64' };

/** @throws StackFailure `unsupported-platform` everywhere but on Linux x64 and arm64 */
export function supportedPlatform(os: string, arch: string): Platform {
  if (os === 'linux' && arch === 'x64') return { goArch: 'amd64' };
  if (os === 'linux' && arch === 'arm64') return { goArch: 'arm64' };
  throw new StackFailure(
    'unsupported-platform',
    `The playground runs real Linux binaries on x64 or arm64; this machine is ${os} ${arch}. Use a Linux machine, virtual machine or container.`,
  );
}
