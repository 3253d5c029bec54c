// Requests that are hostile in one way at least. None of them may have an effect.
import { createRandom } from '../cilium/random.ts';
import { doors, forged, repeated, sizes, untimely } from './door.ts';
import { clicks, commands, events, shapes, shortcuts, submissions, suggestions } from './inside.ts';
import type { Hostile, Known } from './making.ts';
import { pick } from './texts.ts';

export type { Hostile, Known } from './making.ts';

/** The same requests for the same seed. */
export function createHostile(known: Known, seed: number): () => Hostile {
  const random = createRandom(seed);
  let count = 0;
  const kinds = [forged, untimely, repeated, commands, clicks, submissions, suggestions, shortcuts, events, shapes, sizes, doors];
  return () => {
    count += 1;
    const make = pick(random, kinds);
    return { path: '/slack/events', method: 'POST', kind: make.name, ...make({ known, random, id: `${seed}.${count}.${known.now()}` }) };
  };
}
