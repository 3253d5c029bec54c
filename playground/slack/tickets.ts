// What Slack hands out for a short time: trigger ids (3 s, once) and response URLs (30 min, five uses).
import { randomBytes } from 'node:crypto';
import type { Limits } from './limits.ts';
import type { Message } from './messages.ts';
import { SlackRefusal } from './refusal.ts';

interface Trigger {
  readonly user: string;
  readonly until: number;
  used: boolean;
}

export interface ResponseTicket {
  readonly user: string;
  readonly channel: string;
  readonly threadTs: string | undefined;
  /** The message with the button, when there was one. */
  readonly source: Message | undefined;
  readonly until: number;
  uses: number;
}

const kept = 5_000;

export class Tickets {
  readonly #limits: Limits;
  readonly #now: () => number;
  readonly #triggers = new Map<string, Trigger>();
  readonly #responses = new Map<string, ResponseTicket>();

  constructor(limits: Limits, now: () => number) {
    this.#limits = limits;
    this.#now = now;
  }

  trigger(user: string): string {
    const id = `${this.#now()}.${randomBytes(4).readUInt32BE()}.${randomBytes(16).toString('hex')}`;
    remember(this.#triggers, id, { user, until: this.#now() + this.#limits.triggerMs, used: false });
    return id;
  }

  /** Uses a trigger up. Throws invalid_trigger_id, trigger_exchanged or trigger_expired. */
  exchange(id: string): { user: string } {
    const trigger = this.#triggers.get(id);
    if (!trigger) throw new SlackRefusal('invalid_trigger_id');
    if (trigger.used) throw new SlackRefusal('trigger_exchanged');
    if (this.#now() > trigger.until) throw new SlackRefusal('trigger_expired');
    trigger.used = true;
    return trigger;
  }

  response(ticket: Omit<ResponseTicket, 'until' | 'uses'>): string {
    const id = randomBytes(18).toString('base64url');
    remember(this.#responses, id, { ...ticket, until: this.#now() + this.#limits.responseUrlMs, uses: 0 });
    return id;
  }

  /** Counts one use of a response URL. Throws used_url or expired_url. */
  respond(id: string): ResponseTicket {
    const ticket = this.#responses.get(id);
    if (!ticket || this.#now() > ticket.until) throw new SlackRefusal('expired_url');
    if (ticket.uses >= this.#limits.responseUrlUses) throw new SlackRefusal('used_url');
    ticket.uses += 1;
    return ticket;
  }
}

function remember<T>(shelf: Map<string, T>, id: string, entry: T): void {
  shelf.set(id, entry);
  const oldest = shelf.size > kept ? shelf.keys().next().value : undefined;
  if (oldest !== undefined) shelf.delete(oldest);
}
