// Emptiness: `[]`, `{}` and nothing at all mean three things.
import { ABSENT_WHEN_EMPTY, member, NOBODY_WHEN_EMPTY } from '../peers.ts';
import { limitsPorts } from '../ports.ts';
import { add, type Draft, fix, type LintRule, perRule, perSpec, remove, replace } from '../rule.ts';
import { asList, asRecord, type SpecView } from '../view.ts';

const SECTIONS = ['ingress', 'ingressDeny', 'egress', 'egressDeny'] as const;

function emptySectionsOf(spec: SpecView): readonly string[] {
  return SECTIONS.filter((key) => key in spec.value && asList(spec.value[key]).length === 0);
}

/** `[]` as somebody's default deny. Removing it is right where the deny side was meant: `[{}]` there turns default deny on. */
function asDefaultDeny(spec: SpecView, keys: readonly string[]) {
  return fix('Deny by default', ...keys.filter((key) => !key.endsWith('Deny')).map((key) => replace([...spec.path, key], [{}])));
}

export const emptySections: LintRule = {
  id: 'empty-sections',
  severity: 'error',
  title: 'Empty lists are no default deny: the policy is invalid',
  check: perSpec((spec) => {
    const empty = emptySectionsOf(spec);
    if (empty.length === 0 || spec.rules.length > 0) return [];
    return [
      {
        path: [...spec.path, empty[0] ?? ''],
        happens: 'Cilium refuses a policy without a single rule (condition Valid=False): nothing is denied at all.',
        instead: 'Default deny is one empty rule: `ingress: [{}]`, `egress: [{}]`.',
        ...(empty.some((key) => !key.endsWith('Deny')) ? { fix: asDefaultDeny(spec, empty) } : {}),
      },
    ];
  }),
};

export const emptySection: LintRule = {
  id: 'empty-section',
  severity: 'warning',
  title: 'An empty list beside other rules does nothing',
  check: perSpec((spec) => {
    if (spec.rules.length === 0) return [];
    return emptySectionsOf(spec).map((key) => ({
      path: [...spec.path, key],
      happens: `\`${key}: []\` counts as absent: it denies nothing in that direction.`,
      instead: key.endsWith('Deny') ? 'Leave it out.' : `For default deny write \`${key}: [{}]\`; else leave it out.`,
      fix: key.endsWith('Deny') ? fix('Leave it out', remove([...spec.path, key])) : asDefaultDeny(spec, [key]),
    }));
  }),
};

export const defaultDenyWithoutRules: LintRule = {
  id: 'default-deny-alone',
  severity: 'error',
  title: 'enableDefaultDeny needs a rule in its direction',
  check: perSpec((spec) =>
    (['ingress', 'egress'] as const)
      .filter((direction) => asRecord(spec.value['enableDefaultDeny'])?.[direction] === true)
      .filter((direction) => !spec.rules.some((rule) => rule.direction === direction) && spec.rules.length > 0)
      .map((direction) => ({
        path: [...spec.path, 'enableDefaultDeny', direction],
        happens: `Without a rule for ${direction} this does nothing: ${direction} stays open.`,
        instead: `Add \`${direction}: [{}]\`.`,
        fix: fix(`Deny ${direction} by default`, add([...spec.path, direction], [{}])),
      })),
  ),
};

export const denyOnly: LintRule = {
  id: 'deny-only',
  severity: 'warning',
  title: 'A policy of deny rules alone denies everything',
  check: perSpec((spec) =>
    (['ingress', 'egress'] as const)
      .filter((direction) => asRecord(spec.value['enableDefaultDeny'])?.[direction] === undefined)
      .filter((direction) => {
        const rules = spec.rules.filter((rule) => rule.direction === direction);
        return rules.length > 0 && rules.every(({ deny }) => deny);
      })
      .map((direction) => {
        const given = asRecord(spec.value['enableDefaultDeny']);
        const path = [...spec.path, 'enableDefaultDeny'];
        return {
          path: [...spec.path, `${direction}Deny`],
          happens: `Deny rules turn default deny on as well: unless another policy allows it, ALL ${direction} of these pods is denied, not only what is listed.`,
          instead: `\`enableDefaultDeny: {${direction}: false}\` denies only what is listed.`,
          fix: fix('Deny only what is listed', given ? add([...path, direction], false) : add(path, { [direction]: false })),
        };
      }),
  ),
};

export const emptyPeers: LintRule = {
  id: 'empty-peers',
  severity: 'warning',
  title: 'An empty list of peers selects nobody',
  check: perRule((rule) => {
    const keys = NOBODY_WHEN_EMPTY.map((name) => member(rule, name));
    const filled = keys.some((key) => asList(rule.value[key]).length > 0);
    return keys
      .filter((key) => Array.isArray(rule.value[key]) && asList(rule.value[key]).length === 0)
      .map((key) => {
        const path = [...rule.path, key];
        return {
          path,
          happens: `\`${key}: []\` selects nobody: the whole rule matches nothing${filled ? ', the other peers beside it included' : ''}.`,
          instead: 'Name the peers, or leave the list out: with ports that means everybody.',
          ...(filled ? { fix: fix('Leave the empty list out', remove(path)) } : {}),
        };
      });
  }),
};

export const absentPeers: LintRule = {
  id: 'absent-peers',
  severity: 'error',
  title: 'An empty list that counts as absent opens the ports to everybody',
  check: perRule((rule) => {
    if (!limitsPorts(rule)) return [];
    const empty = [
      ...ABSENT_WHEN_EMPTY.map((name) => member(rule, name)).filter((key) => isEmpty(rule.value[key])),
      ...NOBODY_WHEN_EMPTY.map((name) => member(rule, name)).filter((key) => rule.value[key] === null),
    ];
    const named = [...ABSENT_WHEN_EMPTY, ...NOBODY_WHEN_EMPTY].some((name) => {
      const value = rule.value[member(rule, name)];
      return asList(value).length > 0 || (Array.isArray(value) && !empty.includes(member(rule, name)));
    });
    const verb = rule.deny ? 'denied to' : 'open to';
    return named
      ? []
      : empty.map(
          (key): Draft => ({
            path: [...rule.path, key],
            happens: `An empty \`${key}\` counts as absent: the ports of this rule are ${verb} EVERYBODY, the world included.`,
            instead: `Name the peers. If everybody is meant, say so: \`${member(rule, 'Entities')}: [all]\`.`,
          }),
        );
  }),
};

function isEmpty(value: unknown): boolean {
  return value === null || (Array.isArray(value) && value.length === 0);
}
