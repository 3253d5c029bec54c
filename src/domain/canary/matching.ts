/** Gateway API's matches, and what the record of a request says of them. */
/** What a request's record says of it. Absent: redacted, or not logged. */
export interface Asked {
  readonly method?: string;
  readonly host?: string;
  readonly path?: string;
  readonly query?: ReadonlyMap<string, string>;
  readonly headers?: ReadonlyMap<string, string>;
}

interface ValueMatch {
  readonly type?: string;
  readonly name: string;
  readonly value: string;
}
export interface Match {
  readonly path?: { readonly type?: string; readonly value?: string };
  readonly method?: string | { readonly type?: string; readonly service?: string; readonly method?: string };
  readonly headers?: readonly ValueMatch[];
  readonly queryParams?: readonly ValueMatch[];
}
/** Hubble's word for the value of a header that is not shown. */
const REDACTED = 'HUBBLE_REDACTED';

/** How specific it is, the first difference decides: host, exact path, expression, prefix, method, headers, query parameters. */
export function rankOf(host: string, { path, method, headers = [], queryParams = [] }: Match): readonly number[] {
  const isWild = host.startsWith('*.');
  const [type, value] =
    typeof method === 'object' ? ['PathPrefix', `${method.service ?? ''}/${method.method ?? ''}`] : [path?.type, path?.value ?? ''];
  const length = (wanted: string) => ((type ?? 'PathPrefix') === wanted ? value.length : 0);
  const byMethod = typeof method === 'string' ? 1 : 0;
  return [
    isWild ? 0 : host.length,
    host.length,
    length('Exact'),
    length('RegularExpression'),
    length('PathPrefix'),
    byMethod,
    headers.length,
    queryParams.length,
  ];
}

/** Does the rule take the request? Undefined: what would decide it is not in the record. */
export function takes({ host, match }: { readonly host: string; readonly match: Match }, asked: Asked): boolean | undefined {
  return all([() => takesHost(host, asked), () => takesPath(match, asked), () => takesMethod(match, asked), ...valuesOf(match, asked)]);
}

function all(conditions: readonly (() => boolean | undefined)[]): boolean | undefined {
  let answer: boolean | undefined = true;
  for (const condition of conditions) {
    const found = condition();
    if (found === false) return false;
    if (found === undefined) answer = undefined;
  }
  return answer;
}

function takesHost(host: string, { host: asked }: Asked): boolean | undefined {
  if (host === '') return true;
  if (asked === undefined) return undefined;
  return host.startsWith('*.') ? asked.endsWith(host.slice(1)) && asked.length > host.length - 1 : asked === host;
}

function takesPath({ path, method }: Match, { path: asked }: Asked): boolean | undefined {
  if (typeof method === 'object') {
    if (asked === undefined) return undefined;
    const [, service, name] = asked.split('/');
    return (method.service === undefined || method.service === service) && (method.method === undefined || method.method === name);
  }
  const value = path?.value ?? '/';
  const type = path?.type ?? 'PathPrefix';
  if (type === 'PathPrefix' && value === '/') return true;
  if (asked === undefined) return undefined;
  if (type === 'Exact') return asked === value;
  if (type === 'RegularExpression') return matches(value, asked);
  const prefix = value.replace(/\/+$/, '');
  return asked === prefix || asked.startsWith(`${prefix}/`);
}

function takesMethod({ method }: Match, asked: Asked): boolean | undefined {
  if (typeof method !== 'string') return true;
  return asked.method === undefined ? undefined : asked.method === method;
}

function valuesOf({ headers = [], queryParams = [] }: Match, asked: Asked): readonly (() => boolean | undefined)[] {
  const one = (wanted: ValueMatch, found: ReadonlyMap<string, string> | undefined, name: string) => () => {
    const value = found?.get(name);
    if (found === undefined || value === REDACTED) return undefined;
    if (value === undefined) return false;
    return wanted.type === 'RegularExpression' ? matches(wanted.value, value) : value === wanted.value;
  };
  return [
    ...headers.map((wanted) => one(wanted, asked.headers, wanted.name.toLowerCase())),
    ...queryParams.map((wanted) => one(wanted, asked.query, wanted.name)),
  ];
}

/** Envoy matches the whole text with RE2; what does not compile here is not known. */
function matches(pattern: string, text: string): boolean | undefined {
  try {
    return new RegExp(`^(?:${pattern})$`).test(text);
  } catch {
    return undefined;
  }
}
