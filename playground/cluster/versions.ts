import { fileURLToPath } from 'node:url';

/** Folder of the Go modules and requirement files that pin what is built. */
export const TOOLS_DIR = fileURLToPath(new URL('../tools', import.meta.url));

/** Versions that are built when nothing is given. A test holds those that playground/tools pins against its files. */
export const VERSIONS = {
  kubernetes: '1.36.3',
  etcd: '3.6.8',
  temporal: '1.5.1',
  envoy: '1.40.0',
  cilium: '1.20.2',
  gatewayApi: '1.6.1',
  helm: '4.2.4',
  prometheusOperator: '0.85.0',
  /** Oldest Go that builds the API server. */
  go: '1.26.0',
} as const;

/** Oldest versions that are taken from PATH; an older one there is passed over and said so. */
export const OLDEST = {
  'kube-apiserver': '1.32.0',
  etcd: '3.5.0',
  temporal: '1.3.0',
  envoy: '1.30.0',
  prometheus: '2.40.0',
  promtool: '2.40.0',
  chromium: '110.0.0',
  helm: '3.14.0',
  kubectl: '1.32.0',
} as const;

export type BinaryName = keyof typeof OLDEST;

/** The first thing in a text that looks like a version, as `1.36.3`. */
export const versionIn = (text: string): string | undefined => /(\d+\.\d+(?:\.\d+)?)/.exec(text)?.[1];

/** Whether `version` is `oldest` or later; both dotted numbers. */
export function atLeast(version: string, oldest: string): boolean {
  const wanted = oldest.split('.').map(Number);
  const parts = version.split('.').map(Number);
  for (const [index, number] of wanted.entries()) {
    const part = parts[index] ?? 0;
    if (part !== number) return part > number;
  }
  return true;
}
