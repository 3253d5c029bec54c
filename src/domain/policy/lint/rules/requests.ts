// HTTP rules: method, path and host are regular expressions (RE2) that the whole value must match.
import { regexError } from '../../regex.ts';
import { type Draft, fix, type LintRule, perHttp, perRule, remove, replace } from '../rule.ts';
import { asRecord, child, type Located, type Raw, records } from '../view.ts';

function textAt(http: Located<Raw>, key: string): string | undefined {
  const value = http.value[key];
  return typeof value === 'string' && value !== '' ? value : undefined;
}

/** A star behind a plain character, which nobody means to be repeated: `/api/*`, `/v*`. Escapes and classes (`\d*`, `[a-z]*`) are no globs. */
const GLOB = /(?<![\\])[\w/-]\*/;
/** No regular expression, and a glob to whoever wrote it: `*`, `*.html`, `/static/**`. */
const ONLY_A_GLOB = /^[\w*./-]+$/;

function asRegex(glob: string): string {
  return glob
    .replaceAll(/\*+$/g, '.*')
    .replaceAll(/(?<!\.)\*+/g, '[^/]*')
    .replace(/^(?=[^/.[])/, '/');
}

export const httpGlob: LintRule = {
  id: 'http-glob',
  severity: 'error',
  title: '`/*` is no wildcard: it means any number of slashes',
  check: perHttp((http) => {
    const path = textAt(http, 'path');
    if (path === undefined) return [];
    const isRegex = regexError(path) === undefined;
    if (isRegex ? !GLOB.test(path) : !path.includes('*') || !ONLY_A_GLOB.test(path)) return [];
    const right = ONLY_A_GLOB.test(path) ? asRegex(path) : undefined;
    const isRight = right !== undefined && regexError(right) === undefined && !GLOB.test(right);
    return [
      {
        path: [...http.path, 'path'],
        happens: isRegex
          ? `The path is a regular expression for the whole path: the star in \`${path}\` repeats the one character before it (\`/*\` is any number of slashes), and nothing that is meant matches.`
          : `The path is a regular expression, and \`${path}\` is none: Cilium refuses the whole policy.`,
        instead: isRight ? `\`${right}\`.` : 'Any text is `.*`, any text without a slash `[^/]*`.',
        ...(isRight ? { fix: fix(`Everything where the star stands: ${right}`, replace([...http.path, 'path'], right)) } : {}),
      },
    ];
  }),
};

export const httpHost: LintRule = {
  id: 'http-host',
  severity: 'error',
  title: 'A host that is no regular expression matches no request',
  check: perHttp((http) => {
    const host = textAt(http, 'host');
    const hasPath = host !== undefined && /\//.test(host);
    if (host === undefined || (regexError(host) === undefined && !hasPath)) return [];
    const [, domain] = /^\*\.([\w.-]+)$/.exec(host) ?? [];
    const right = domain === undefined ? undefined : `.*\\.${domain.replaceAll('.', '\\.')}`;
    return [
      {
        path: [...http.path, 'host'],
        happens: hasPath
          ? `No request has a host with a slash in it, such as \`${host}\`: the entry matches no request.`
          : `The host is a regular expression, and \`${host}\` is none: Cilium takes the policy all the same, and the entry matches no request.`,
        instead: right === undefined ? 'Write a regular expression (RE2) for the host alone.' : `\`${right}\`.`,
        ...(right === undefined ? {} : { fix: fix(`Every name below ${domain}`, replace([...http.path, 'host'], right)) }),
      },
    ];
  }),
};

export const httpMethod: LintRule = {
  id: 'http-method',
  severity: 'error',
  title: 'Methods are upper case',
  check: perHttp((http) => {
    const method = textAt(http, 'method');
    if (method === undefined) return [];
    const path = [...http.path, 'method'];
    if (method === '*') {
      const happens = 'The method is a regular expression, and `*` is none: Cilium refuses the whole policy.';
      return [{ path, happens, instead: 'Leave the method out: then every one is meant.', fix: fix('Every method', remove(path)) }];
    }
    const right = method
      .toUpperCase()
      .split(/[\s,]+/)
      .join('|');
    if (!/^[A-Za-z|(), ]+$/.test(method) || method === right) return [];
    return [
      {
        path,
        happens: `The method is a regular expression with upper and lower case: no client sends \`${method}\`, so the entry matches no request.`,
        instead: `\`${right}\`.`,
        fix: fix(right, replace(path, right)),
      },
    ];
  }),
};

export const httpPath: LintRule = {
  id: 'http-path',
  severity: 'error',
  title: 'Every path begins with a slash',
  check: perHttp((http) => {
    const path = textAt(http, 'path');
    // A quantifier behind the first character, or an alternative, may let the path begin otherwise.
    if (path === undefined || !/^\^?[A-Za-z0-9_-][^*?{|]*$/.test(`${path.slice(0, 3)}`) || path.includes('|')) return [];
    const right = path.startsWith('^') ? `^/${path.slice(1)}` : `/${path}`;
    return [
      {
        path: [...http.path, 'path'],
        happens: `The path of every request begins with a slash, and \`${path}\` must match from its first character on: the entry matches no request.`,
        instead: `\`${right}\`.`,
        fix: fix(right, replace([...http.path, 'path'], right)),
      },
    ];
  }),
};

const TLS_PORTS: readonly unknown[] = ['443', '8443', '6443'];

export const httpOnTls: LintRule = {
  id: 'http-on-tls',
  severity: 'warning',
  title: 'HTTP rules read no TLS',
  check: perRule((rule) => {
    if (rule.direction !== 'egress' || rule.deny) return [];
    return records(rule, 'toPorts').flatMap((group): readonly Draft[] => {
      const http = asRecord(child(group, 'rules')?.value)?.['http'];
      const isOpened = group.value['terminatingTLS'] !== undefined;
      const encrypted = records(group, 'ports').find(({ value }) => TLS_PORTS.includes(value['port']));
      if (!Array.isArray(http) || http.length === 0 || isOpened || !encrypted) return [];
      return [
        {
          path: [...group.path, 'rules', 'http'],
          happens: `Port ${String(encrypted.value['port'])} carries TLS as a rule, and the proxy sees no request in it: such connections fail, whatever these rules permit.`,
          instead:
            'Leave the HTTP rules out and name the destinations (`toFQDNs`, `serverNames`), or let Cilium open the TLS (`terminatingTLS`, `originatingTLS`).',
        },
      ];
    });
  }),
};
