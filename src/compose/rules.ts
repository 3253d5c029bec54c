import { setTimeout as sleep } from 'node:timers/promises';
import { recordRules } from '../audit/rules.ts';
import type { JsonObject } from '../domain/json.ts';
import type { Foundation } from './foundation.ts';

const EVERY_MS = 5_000;

/** Who must agree to what is part of the record: each change of the configuration's gates is written down, also one made while nothing ran. */
export async function followRules(
  on: Pick<Foundation, 'config' | 'database' | 'audit' | 'now' | 'telemetry'>,
  signal: AbortSignal,
): Promise<void> {
  let recorded: unknown;
  while (!signal.aborted) {
    const { gates } = on.config.current();
    if (gates !== recorded) {
      try {
        const rules = JSON.parse(JSON.stringify({ gates })) as JsonObject;
        if (await recordRules({ db: on.database, audit: on.audit, now: on.now }, rules))
          on.telemetry.log.info({ gates: gates.length }, 'the gates are not what they were; that is on record');
        recorded = gates;
      } catch (error) {
        on.telemetry.log.warn({ err: error }, 'a change of the gates could not be recorded; tried again');
      }
    }
    await sleep(EVERY_MS, undefined, { signal }).catch(() => undefined);
  }
}
