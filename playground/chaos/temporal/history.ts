import { EVENT_BYTES } from './limits.ts';
import { type Packed, sizeOf } from './payload.ts';

/** How long and how large the history of one run is. */
export class History {
  events = 1;
  bytes = 0;
  largestPayload = 0;

  count(events: number, payload?: Packed | null): void {
    const size = sizeOf(payload ?? undefined);
    this.events += events;
    this.bytes += events * EVENT_BYTES + size;
    this.largestPayload = Math.max(this.largestPayload, size);
  }
}
