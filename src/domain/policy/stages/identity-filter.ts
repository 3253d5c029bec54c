interface Prefix {
  readonly ignore: boolean;
  readonly source: string;
  /** Undefined where the text is no expression: then it is a plain prefix. */
  readonly expression: RegExp | undefined;
  readonly text: string;
}

/**
 * Does a pod's label become part of its Cilium identity under the `labels` key of cilium-config? Without inclusive entries everything
 * passes that no entry (and none of the defaults, which speak of Kubernetes' own prefixes) excludes; with one, only what an inclusive entry
 * matches for longer than an excluding one. Entries are `[!][source:]expression`, matched from the start of the key.
 * Source: cilium v1.20, pkg/labelsfilter.
 */
export function becomesIdentity(labelsConfig: string | undefined, key: string): boolean {
  const prefixes = (labelsConfig ?? '')
    .split(/[\s,]+/)
    .filter((entry) => entry !== '')
    .map(parsePrefix);
  let included = 0;
  let ignored = 0;
  for (const prefix of prefixes) {
    if (prefix.source !== '' && prefix.source !== 'k8s' && prefix.source !== 'any') continue;
    const length = matchLength(prefix, key);
    if (length === undefined) continue;
    if (prefix.ignore) ignored = ignored === 0 ? length : Math.min(ignored, length);
    else included = Math.max(included, length);
  }
  const isWhitelist = prefixes.some(({ ignore }) => !ignore);
  return isWhitelist ? included > ignored : ignored === 0;
}

function parsePrefix(entry: string): Prefix {
  const ignore = entry.startsWith('!');
  const rest = ignore ? entry.slice(1) : entry;
  const colon = rest.indexOf(':');
  const text = rest.slice(colon + 1);
  return { ignore, source: colon < 0 ? '' : rest.slice(0, colon), expression: expressionOf(text), text };
}

function expressionOf(text: string): RegExp | undefined {
  try {
    return new RegExp(`^(?:${text})`);
  } catch {
    // Go and JavaScript differ in rare forms; as a plain prefix it still names what its author meant.
    return undefined;
  }
}

function matchLength({ expression, text }: Prefix, key: string): number | undefined {
  if (!expression) return key.startsWith(text) ? text.length : undefined;
  return expression.exec(key)?.[0].length;
}
