// L7: what is compared how, and which rules take a restriction away again.
import { includesPeers, type NamedPeers, namedPeers } from '../peers.ts';
import { covers, dnsGroups, groupSpans, hasDnsRules, limitsPorts, type Span } from '../ports.ts';
import { type Draft, fix, type LintRule, perHttp, perSpec, replace } from '../rule.ts';
import { asList, asRecord, child, deniesByDefault, items, type Located, type Raw, type RuleView, records } from '../view.ts';

/** What nobody sends in a header: repetitions, anchors, classes, escapes. A bracket alone is text: `probe/1.2 (linux)`. */
const asPattern = /\.[*+]|^\^|\$$|\\[.\wdsw]|\[[^\]]*\][*+?{]|\)[*+?]|\([^)]*\|/;

export const headerLiteral: LintRule = {
  id: 'header-literal',
  severity: 'error',
  title: 'Header values are compared literally',
  check: perHttp((http) =>
    items(http, 'headers').flatMap(({ path, value }) => {
      const [name = '', ...rest] = typeof value === 'string' ? value.split(' ') : [];
      const wanted = rest.join(' ');
      if (wanted === '' || !asPattern.test(wanted)) return [];
      const bare = name.replace(/:+$/, '');
      return [
        {
          path,
          happens: `The value must be exactly \`${wanted}\`, character by character: no regex is read here, so the entry matches nothing that a client sends.`,
          instead: `Presence: \`headers: ["${bare}"]\`. One exact value: \`headers: ["${bare}: value"]\` or headerMatches.`,
          fix: fix(`Ask only that ${bare} is present`, replace(path, bare)),
        },
      ];
    }),
  ),
};

export const headerNoSpace: LintRule = {
  id: 'header-no-space',
  severity: 'error',
  title: '`Name:value` without a space is the name of a header',
  check: perHttp((http) =>
    items(http, 'headers').flatMap(({ path, value }) => {
      const [, name, wanted] = (typeof value === 'string' && /^([^\s:]+):(\S+)$/.exec(value)) || [];
      if (name === undefined || wanted === undefined) return [];
      return [
        {
          path,
          happens: `Without a space this asks for a header whose NAME is \`${String(value)}\`: no client sends one, so the entry never matches.`,
          instead: `\`${name}: ${wanted}\`, with a space.`,
          fix: fix('Name and value', replace(path, `${name}: ${wanted}`)),
        },
      ];
    }),
  ),
};

export const headerMismatch: LintRule = {
  id: 'header-mismatch',
  severity: 'warning',
  title: 'headerMatches with a mismatch action never refuses',
  check: perHttp((http) =>
    records(http, 'headerMatches')
      .filter(({ value }) => typeof value['mismatch'] === 'string' && value['mismatch'] !== '')
      .map(({ path, value }) => ({
        path: [...path, 'mismatch'],
        happens: `With \`mismatch: ${String(value['mismatch'])}\` a request with another value is let through (and logged or changed): nothing is refused.`,
        instead: 'To refuse, leave mismatch out.',
      })),
  ),
};

export const defaultAllowL7: LintRule = {
  id: 'default-allow-l7',
  severity: 'warning',
  title: 'L7 rules restrict nothing where the default is allow',
  check: perSpec((spec) =>
    spec.rules
      .filter((rule) => !rule.deny && !deniesByDefault(spec, rule.direction))
      .flatMap((rule) => records(rule, 'toPorts').flatMap((group) => child(group, 'rules') ?? []))
      // DNS rules that refuse nothing are how names are seen, and toFQDNs needs them.
      .filter(({ value }) => asList(value['http']).length > 0)
      .map(({ path }) => ({
        path,
        happens:
          'enableDefaultDeny is false in this direction: Cilium adds an allow-all to these rules. They send traffic through the proxy and refuse nothing.',
        instead: 'Leave the L7 rules out while observing; enforce them with default deny on.',
      })),
  ),
};

/** One entry with HTTP rules, or one that lets the same requests through without. */
interface Reach {
  readonly rule: RuleView;
  readonly peers: NamedPeers;
  readonly path: Located<Raw>['path'];
  readonly spans: readonly Span[];
  readonly http: boolean;
}

const EVERY_PORT: Span = { from: 0, to: 65_535, protocol: 'ANY' };

export const httpWidened: LintRule = {
  id: 'http-widened',
  severity: 'warning',
  title: 'Another rule lets every request through to the same port',
  check: perSpec((spec) => {
    const reaches = spec.rules.filter(({ deny }) => !deny).flatMap(reachesOf);
    const open = reaches.filter(({ http }) => !http);
    return reaches
      .filter(({ http, rule }) => http && deniesByDefault(spec, rule.direction))
      .flatMap((narrow): readonly Draft[] => {
        const wider = open.find(
          (one) =>
            one.rule.direction === narrow.rule.direction &&
            includesPeers(one.peers, narrow.peers) &&
            narrow.spans.some((span) => one.spans.some((other) => covers(other, span))),
        );
        if (!wider) return [];
        const where = `${narrow.rule.direction} rule ${Number(wider.rule.path.at(-1)) + 1}`;
        return [
          {
            path: [...narrow.path, 'rules', 'http'],
            happens: `HTTP rules are a union over everything that covers the port: ${where} lets EVERY request of the same peers through, so this list restricts nothing for them.`,
            instead: 'Take this port, or these peers, out of the other rule.',
          },
        ];
      });
  }),
};

function reachesOf(rule: RuleView): readonly Reach[] {
  const peers = namedPeers(rule);
  if (!limitsPorts(rule))
    return items(rule, 'icmps').length > 0 ? [] : [{ rule, peers, path: rule.path, spans: [EVERY_PORT], http: false }];
  return records(rule, 'toPorts').map((group) => {
    const http = asRecord(group.value['rules'])?.['http'];
    return { rule, peers, path: group.path, spans: groupSpans(group), http: Array.isArray(http) && http.length > 0 };
  });
}

export const dnsWidened: LintRule = {
  id: 'dns-widened',
  severity: 'warning',
  title: 'A second rule for port 53 permits every name',
  check: perSpec((spec) => {
    const groups = spec.rules
      .filter((rule) => rule.direction === 'egress' && !rule.deny)
      .flatMap((rule) => dnsGroups(rule).map((group) => ({ peers: namedPeers(rule), group })));
    const open = groups.filter(({ group }) => !hasDnsRules(group));
    if (!deniesByDefault(spec, 'egress')) return [];
    return groups
      .filter(({ peers, group }) => hasDnsRules(group) && !permitsEveryName(group) && open.some((one) => includesPeers(one.peers, peers)))
      .map(({ group }) => ({
        path: [...group.path, 'rules', 'dns'],
        happens: 'Another rule allows the same port 53 without names: every name may be asked for, and this list restricts nothing.',
        instead: 'Give the other rule the same names, or take it out.',
      }));
  }),
};

function permitsEveryName(group: Located<Raw>): boolean {
  return asList(asRecord(group.value['rules'])?.['dns']).some((one) => {
    const pattern = asRecord(one)?.['matchPattern'];
    return pattern === '*' || pattern === '**';
  });
}
