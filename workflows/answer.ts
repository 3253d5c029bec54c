import type { Actor } from '../src/domain/lifecycle/actor.ts';
import type { Decision } from '../src/domain/lifecycle/gate.ts';

/** How an open gate was answered. */
export interface Answer {
  readonly choice: Decision['choice'] | 'expired';
  readonly by?: Actor;
  readonly reason?: string;
}
