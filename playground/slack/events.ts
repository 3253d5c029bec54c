// Events: sent once, and again when the app does not acknowledge (at once, after a minute, after five).
import { setTimeout as delay } from 'node:timers/promises';
import type { Core } from './core.ts';
import type { Deliveries } from './delivery.ts';
import type { Json } from './messages.ts';

/** Resolves when the event was acknowledged, given up or the playground stopped. Never rejects for the app's failures. */
export async function sendEvent(
  core: Core,
  deliveries: Deliveries,
  payload: Json & { readonly event: Json },
  signal: AbortSignal,
): Promise<boolean> {
  const waits = [undefined, ...core.limits.eventRetryMs];
  let reason = '';
  for (const [num, wait] of waits.entries()) {
    if (wait) await delay(wait, undefined, { signal, ref: false }).catch(() => undefined);
    if (signal.aborted) return false;
    const delivered = await deliveries.deliver('events_api', payload, String(payload.event['type']), num > 0 ? { num, reason } : undefined);
    if (delivered.ok) return true;
    reason = delivered.error === 'operation_timeout' ? 'http_timeout' : delivered.status === undefined ? 'connection_failed' : 'http_error';
  }
  return false;
}
