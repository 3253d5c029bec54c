import { type Asked, type Match, rankOf, takes } from './matching.ts';

interface Backend {
  readonly kind?: string;
  readonly name: string;
  readonly namespace?: string;
}

/** A route as far as it decides who answers a request. */
export interface SplitRoute {
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
  readonly createdAt: string;
  readonly hostnames: readonly string[];
  /** `kind/namespace/name` of its parents, each with its section or ''. */
  readonly parents: readonly (readonly [parent: string, section: string])[];
  readonly rules: readonly { readonly matches?: readonly Match[]; readonly backendRefs?: readonly Backend[] }[];
}

/** An HTTPRoute and a GRPCRoute may have the same name. */
export function routeKey({ kind, namespace, name }: Pick<SplitRoute, 'kind' | 'namespace' | 'name'>): string {
  return `${kind}/${namespace}/${name}`;
}

export interface Split {
  /** True: by every Gateway that can have sent it, the rule that takes it is a moved one. False: another one, or nobody can tell. */
  readonly isMoved: (asked: Asked) => boolean;
}

interface Candidate {
  readonly host: string;
  readonly match: Match;
  readonly rank: readonly number[];
  readonly order: string;
  readonly moved: boolean;
  /** It sends requests to one of the Services: no other rule can have brought one to their pods. */
  readonly names: boolean;
}

const REMEMBERED = 2_000;

/**
 * Which requests came through the split. By Gateway API's precedence: the most specific hostname, an exact path, the longest prefix, a method,
 * most headers, most query parameters, the older route, its name, the earlier rule. `moved`: indices of the rules that move, by the key of
 * their route; `services`: `namespace/name` of their backends. Only Gateways (or Services of the mesh) whose routes name one of these are asked.
 */
export function createSplit(
  routes: readonly SplitRoute[],
  moved: ReadonlyMap<string, readonly number[]>,
  services: ReadonlySet<string>,
): Split {
  const reaching = routes.filter((route) => reaches(route, services));
  const names = (route: SplitRoute) =>
    route.rules.some((rule) => (rule.backendRefs ?? []).some((backend) => services.has(serviceOf(route, backend))));
  const concerned = new Set(reaching.filter(names).flatMap(({ parents }) => parents.map(([parent]) => parent)));
  const doors = [...concerned].flatMap((parent) => doorsOf(parent, reaching, moved, services));
  const isPlain = doors.every((door) => door.every(({ match }) => !match.headers?.length && !match.queryParams?.length));
  const known = new Map<string, boolean>();
  const decide = (asked: Asked): boolean => {
    const winners = doors.map((door) => door.find((candidate) => takes(candidate, asked) !== false));
    // It did not come through a door where nobody takes it, or where it is sent elsewhere.
    const found = winners.filter((winner) => winner !== undefined).filter(({ names: sends }) => sends);
    return found.length > 0 && found.every((winner) => winner.moved && takes(winner, asked) === true);
  };
  return {
    isMoved(asked) {
      if (!isPlain) return decide(asked);
      const key = `${asked.method ?? ''} ${asked.host ?? ''} ${asked.path ?? ''}`;
      const before = known.get(key);
      if (before !== undefined) return before;
      const answer = decide(asked);
      if (known.size >= REMEMBERED) known.clear();
      known.set(key, answer);
      return answer;
    },
  };
}

/** Only a Service of the same namespace can have these pods behind it, so other routes have brought nothing to them. */
function reaches(route: SplitRoute, services: ReadonlySet<string>): boolean {
  const namespaces = new Set([...services].map((service) => service.slice(0, service.indexOf('/'))));
  return route.rules.some((rule) => (rule.backendRefs ?? []).some((backend) => namespaces.has(backend.namespace ?? route.namespace)));
}

function serviceOf({ namespace }: SplitRoute, backend: Backend): string {
  return (backend.kind ?? 'Service') === 'Service' ? `${backend.namespace ?? namespace}/${backend.name}` : '';
}

/** One list of candidates for each section of a parent, the first that takes a request wins. */
function doorsOf(
  parent: string,
  routes: readonly SplitRoute[],
  moved: ReadonlyMap<string, readonly number[]>,
  services: ReadonlySet<string>,
): readonly (readonly Candidate[])[] {
  const here = routes.flatMap((route) => route.parents.filter(([name]) => name === parent).map(([, section]) => ({ route, section })));
  const named = [...new Set(here.map(({ section }) => section).filter((section) => section !== ''))];
  const sections = named.length === 0 || here.some(({ section }) => section === '') ? [...named, ''] : named;
  return sections.map((section) =>
    here
      .filter((each) => each.section === '' || each.section === section)
      .flatMap(({ route }) => candidatesOf(route, moved, services))
      .toSorted(byPrecedence),
  );
}

function candidatesOf(
  route: SplitRoute,
  moved: ReadonlyMap<string, readonly number[]>,
  services: ReadonlySet<string>,
): readonly Candidate[] {
  const mine = moved.get(routeKey(route)) ?? [];
  const hosts = route.hostnames.length === 0 ? [''] : route.hostnames.map((host) => host.toLowerCase());
  return route.rules.flatMap(({ matches, backendRefs = [] }, index) =>
    (matches && matches.length > 0 ? matches : [{}]).flatMap((match) =>
      hosts.map((host) => ({
        host,
        match,
        rank: rankOf(host, match),
        order: `${route.createdAt} ${route.namespace}/${route.name} ${String(index).padStart(3, '0')}`,
        moved: mine.includes(index),
        names: backendRefs.some((backend) => services.has(serviceOf(route, backend))),
      })),
    ),
  );
}

function byPrecedence(one: Candidate, other: Candidate): number {
  const at = one.rank.findIndex((value, index) => value !== other.rank[index]);
  if (at !== -1) return (other.rank[at] ?? 0) - (one.rank[at] ?? 0);
  return one.order < other.order ? -1 : 1;
}
