import type { GateRule } from '../lifecycle/gate.ts';
import type { Config } from './schema.ts';

/**
 * Who, besides the person who set it, may lift a freeze of a scope: whom the gates name as approvers. Rules that cover the whole scope
 * count; where none is that wide, those of a part of it do. Undefined: no rule asks anybody there, so nobody is named.
 */
export function liftersOf(gates: Config['gates'], scope: string): GateRule['approvers'] | undefined {
  const [cluster = '', namespace] = scope === '*' ? [] : scope.split('/');
  const covers = (list: readonly string[] | undefined, part: string | undefined): boolean =>
    list === undefined || (part !== undefined && list.includes(part));
  const touches = (list: readonly string[] | undefined, part: string | undefined): boolean => part === undefined || covers(list, part);
  const within = scope === '*' ? undefined : cluster;
  const wide = gates.filter((gate) => covers(gate.clusters, within) && covers(gate.namespaces, namespace));
  const counting = wide.length > 0 ? wide : gates.filter((gate) => touches(gate.clusters, within) && touches(gate.namespaces, namespace));
  return namedIn(counting);
}

/** Everybody whom the configuration names for a decision of any kind; undefined: no gate names anybody. */
export function deciding({ gates, emergency }: Pick<Config, 'gates' | 'emergency'>): GateRule['approvers'] | undefined {
  const named = namedIn(gates);
  const more = emergency ? [emergency.who, emergency.reviewers] : [];
  if (!named || more.length === 0) return named;
  return {
    usergroups: [...named.usergroups, ...more.flatMap(({ usergroups }) => usergroups)],
    emails: [...named.emails, ...more.flatMap(({ emails }) => emails)],
  };
}

/** Everybody whom these gates name as approvers; undefined: there are none. */
export function namedIn(gates: Config['gates']): GateRule['approvers'] | undefined {
  if (gates.length === 0) return undefined;
  const all = (of: (approvers: GateRule['approvers']) => readonly string[]): readonly string[] => [
    ...new Set(gates.flatMap(({ approvers }) => of(approvers))),
  ];
  return { usergroups: all(({ usergroups }) => usergroups), emails: all(({ emails }) => emails) };
}
