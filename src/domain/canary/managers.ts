import { controllingOwner } from '../lifecycle/owner.ts';
import { type Impossible, impossible } from './planned.ts';
import { type HttpRoute, routeName } from './route.ts';

/** The refusal where one of the routes is written by somebody else. */
export function ownedRoute(routes: readonly HttpRoute[]): Impossible | undefined {
  for (const route of routes) {
    const owner = controllingOwner(route.metadata);
    if (owner) return impossible({ code: 'OtherManager', parameters: { route: routeName(route), ...owner } });
  }
  return undefined;
}
