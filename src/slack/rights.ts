// What a person may read, asked of the cluster once in a minute: a form asks with every letter, and a Home with every round.
import type { Actor } from '../domain/lifecycle/actor.ts';
import { type Cache, createCache } from './cache.ts';
import type { BotDeps } from './deps.ts';
import { refuseRead, type SHOWN } from './reading.ts';

const KEPT_MS = 60_000;
const MOST_ACTORS = 5_000;

interface Rights {
  readonly actors: Map<string, Actor>;
  readonly answers: Cache<boolean>;
}
const known = new WeakMap<BotDeps, Rights>();

/** True when the cluster says so, now or a minute ago at most. A cluster that does not say lets nobody read. Never rejects. */
export function mayRead(
  deps: BotDeps,
  actor: Actor,
  { cluster, namespace }: { readonly cluster: string; readonly namespace: string },
  what: keyof typeof SHOWN,
): Promise<boolean> {
  const { actors, answers } = known.get(deps) ?? remember(deps);
  if (actors.size >= MOST_ACTORS) actors.clear();
  // As who they are now: other groups are another question.
  const who = `${actor.id} ${actor.kubernetes?.user ?? ''} ${actor.kubernetes?.groups.join() ?? ''}`;
  actors.set(who, actor);
  return answers.get(JSON.stringify([who, cluster, namespace, what]), { maxAgeMs: KEPT_MS }).catch(() => false);
}

function remember(deps: BotDeps): Rights {
  const actors = new Map<string, Actor>();
  const answers = createCache<boolean>(async (key) => {
    const [who, cluster, namespace, what] = JSON.parse(key) as [string, string, string, keyof typeof SHOWN];
    const actor = actors.get(who);
    return actor !== undefined && (await refuseRead(deps, actor, { cluster, namespace }, what)) === undefined;
  }, deps.now);
  const rights = { actors, answers };
  known.set(deps, rights);
  return rights;
}
