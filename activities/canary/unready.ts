import { setTimeout as sleep } from 'node:timers/promises';
import { Context } from '@temporalio/activity';
import type { Cluster } from '../../src/clients/kubernetes/cluster.ts';
import type { Route } from '../../src/clients/kubernetes/objects.ts';
import { type Gainer, gainersAt } from '../../src/domain/canary/gainers.ts';
import { parseRoute } from '../../src/domain/canary/route.ts';
import type { Unready, UnreadyInput } from '../../src/domain/lifecycle/contract.ts';
import { objectKey, type Write } from '../../src/domain/lifecycle/plan.ts';
import { valueAt } from '../../src/domain/lifecycle/pointer.ts';
import { AT_ONCE, inParallel } from '../../src/fan-out.ts';
import { askIfUnready } from './preconditions.ts';

/** How often endpoints are read while they are waited for. Milliseconds. */
const EVERY_MS = 2_000;

/** Who would get a larger share by putting everything back, and has no ready endpoint. Waits until they have, `waitMs` at most. */
export async function unready(
  { cluster, now }: { readonly cluster: Cluster; readonly now: () => number },
  { originals, waitMs }: UnreadyInput,
  signal: AbortSignal,
): Promise<Unready> {
  const until = now() + waitMs;
  for (;;) {
    const words = await askIfUnready({ cluster }, await gainersOf(cluster, originals, signal), signal);
    if (words === undefined) return {};
    if (now() >= until) return { words };
    Context.current().heartbeat();
    await sleep(Math.min(EVERY_MS, until - now()), undefined, { signal });
  }
}

async function gainersOf(cluster: Cluster, originals: UnreadyInput['originals'], signal: AbortSignal): Promise<readonly Gainer[]> {
  const routes = await inParallel(originals, AT_ONCE, ({ object }) => cluster.read<Route>(object, { signal }));
  const live = new Map(originals.map(({ object }, index) => [objectKey(object), routes[index]]));
  const writes = originals.flatMap(({ object, uid, fields }): readonly Write[] => {
    const route = live.get(objectKey(object));
    if (!route || route.metadata.uid !== uid) return [];
    return [
      {
        object,
        uid,
        generation: 0,
        before: Object.fromEntries(Object.keys(fields).map((field) => [field, valueAt(route, field)])),
        after: fields,
      },
    ];
  });
  return gainersAt(writes, (object) => parseRoute(live.get(objectKey(object))));
}
