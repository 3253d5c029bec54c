// Whether what runs is also what Helm or Git would install again.
import type { EncryptionFacts } from './facts.ts';
import { SWITCHES, wantedBy } from './mode.ts';
import type { Reading } from './reading.ts';

/** What happens to the encryption at the next upgrade of Cilium. */
export type Keeping =
  /** Nothing says that Helm or Git hold it. */
  | { readonly kind: 'by-hand' }
  | { readonly kind: 'held'; readonly by: string }
  /** Somebody else wrote it: an upgrade merges and keeps it, an installation from the values does not have it. */
  | { readonly kind: 'not-in-values'; readonly by: string; readonly values: readonly string[] }
  /** A key that Helm or Git may hold was changed: they write theirs again. */
  | { readonly kind: 'may-come-back'; readonly by: string; readonly values: readonly string[] };

/** Writers that install what values or Git say. */
const INSTALLERS = /^(helm|Helm|helm-controller|kustomize-controller|argocd|argocd-controller|flux)/;

/**
 * A key that only the cluster has is kept at an upgrade; one that the chart has is written again by Helm 3, and by Helm 4 unless somebody
 * else has written it, which is a conflict then (test/reading/helm.stack.test.ts, with the real Helm). The chart has the key of a mode only
 * where it is on, so turning on by hand survives `helm upgrade` and not a new installation, and turning off by hand does not survive it. A
 * key that was taken out leaves no trace: nothing is said then.
 */
export function keepingOf({ facts }: Pick<Reading, 'facts'>): Keeping {
  const by = facts.git ?? (facts.helm ? `Helm release ${facts.helm.release}` : undefined);
  if (by === undefined) return { kind: 'by-hand' };
  const { mode } = wantedBy(facts.config);
  if (mode === 'both') return { kind: 'held', by };
  if (mode === 'off') {
    const changed = Object.values(SWITCHES).some((key) => facts.config[key] !== undefined && !isInstaller(facts, key));
    return changed ? { kind: 'may-come-back', by, values: ['encryption.enabled=false'] } : { kind: 'held', by };
  }
  return isInstaller(facts, SWITCHES[mode]) ? { kind: 'held', by } : { kind: 'not-in-values', by, values: valuesFor(facts, mode) };
}

function isInstaller({ writers }: EncryptionFacts, key: string): boolean {
  const writer = writers[key];
  return writer !== undefined && INSTALLERS.test(writer);
}

/** The Helm values that say what cilium-config says now. */
export function valuesFor({ config }: Pick<EncryptionFacts, 'config'>, mode: 'wireguard' | 'ipsec' | 'ztunnel'): readonly string[] {
  const wanted = wantedBy(config);
  return [
    'encryption.enabled=true',
    `encryption.type=${mode}`,
    ...(wanted.nodeToNode ? ['encryption.nodeEncryption=true'] : []),
    ...(wanted.strictEgress ? ['encryption.strictMode.egress.enabled=true'] : []),
    ...(wanted.strictIngress ? ['encryption.strictMode.ingress.enabled=true'] : []),
  ];
}
