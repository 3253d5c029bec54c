/** Matches one name, lower case and with its final dot. */
export type NameMatch = (name: string) => boolean;

const LONGEST_PATTERN = 255;

export function dnsNameError(name: string): string | undefined {
  return name === '' || /^[-a-zA-Z0-9_.]+$/.test(name) ? undefined : `Invalid characters in MatchName: "${name}"`;
}

export function dnsPatternError(pattern: string): string | undefined {
  if (pattern.trim().length > LONGEST_PATTERN) return `Invalid MatchPattern: "${pattern}" must be <= ${LONGEST_PATTERN} characters long.`;
  return pattern === '' || /^[-a-zA-Z0-9_.*]+$/.test(pattern) ? undefined : `Invalid characters in MatchPattern: "${pattern}"`;
}

/** Lower case, with the final dot: the form in which names are compared. */
export function canonicalName(name: string): string {
  const lower = name.toLowerCase();
  return lower.endsWith('.') ? lower : `${lower}.`;
}

/** A name of `toFQDNs`, or its pattern; `{}` matches nothing. `*` alone is any name that is known. */
export function fqdnMatch(matchName: string, matchPattern: string): NameMatch {
  if (matchName === '' && isAllNames(matchPattern)) return (name) => name === '.' || segmentsAreNames(name);
  return glob(canonicalName(matchName === '' ? matchPattern : matchName));
}

/** One DNS rule of a port: its name, its pattern, or both as alternatives; `{}` matches nothing, `*` alone every query. */
export function dnsRuleMatch(matchName: string, matchPattern: string): NameMatch {
  const matches: NameMatch[] = [];
  if (matchName !== '') matches.push(glob(canonicalName(matchName)));
  if (matchPattern !== '') matches.push(isAllNames(matchPattern) ? () => true : glob(canonicalName(matchPattern)));
  return (name) => matches.some((matches_) => matches_(name));
}

const isAllNames = (pattern: string) => /^\*+\.?$/.test(pattern);
function isNameCharacter(code: number) {
  return (code >= 97 && code <= 122) || (code >= 65 && code <= 90) || (code >= 48 && code <= 57) || code === 45 || code === 95;
}

function isLabel(text: string): boolean {
  for (let at = 0; at < text.length; at += 1) if (!isNameCharacter(text.charCodeAt(at))) return false;
  return true;
}

/** One or more labels, each with its dot. */
function segmentsAreNames(name: string): boolean {
  return (
    name.endsWith('.') &&
    name
      .slice(0, -1)
      .split('.')
      .every((label) => label !== '' && isLabel(label))
  );
}

/**
 * `*` stands for any number of characters of one label, and `**.` in front for one or more labels (cilium v1.20.2,
 * pkg/fqdn/matchpattern). Stars never cross a dot, so label by label is enough, and no pattern costs more than the product of lengths.
 */
function glob(pattern: string): NameMatch {
  const deep = /^\*\*+\./.exec(pattern);
  const labels = (deep ? pattern.slice(deep[0].length) : pattern).split('.').map((label) => label.split(/\*+/));
  if (!pattern.includes('*')) return (name) => name === pattern;
  return (name) => {
    const given = name.split('.');
    if (!deep) return given.length === labels.length && labels.every((parts, at) => labelMatches(parts, given[at] ?? ''));
    const leading = given.length - labels.length;
    if (leading < 1 || !given.slice(0, leading).every((label) => label !== '' && isLabel(label))) return false;
    return labels.every((parts, at) => labelMatches(parts, given[leading + at] ?? ''));
  };
}

/** The parts between the stars must occur in order, the first at the start and the last at the end: the leftmost fit is enough. */
function labelMatches(parts: readonly string[], label: string): boolean {
  const [head = '', ...rest] = parts;
  if (rest.length === 0) return label === head;
  const tail = rest.at(-1) ?? '';
  if (!isLabel(label) || !label.startsWith(head) || !label.endsWith(tail) || label.length < head.length + tail.length) return false;
  let at = head.length;
  for (const part of rest.slice(0, -1)) {
    const found = label.indexOf(part, at);
    if (found < 0) return false;
    at = found + part.length;
  }
  return at <= label.length - tail.length;
}
