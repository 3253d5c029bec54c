// A small vocabulary of checks for Block Kit. Problems carry Slack's wording and a JSON pointer.

export type Check = (value: unknown, at: string, problems: string[]) => void;

type Fields = Readonly<Record<string, Check>>;

export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function problem(problems: string[], what: string, at: string): void {
  problems.push(`${what} [json-pointer:${at}]`);
}

export const anything: Check = () => undefined;

export const flag: Check = (value, at, problems) => {
  if (typeof value !== 'boolean') problem(problems, 'must be a boolean', at);
};

export function number(min: number, max: number): Check {
  return (value, at, problems) => {
    const ok = typeof value === 'number' && value >= min && value <= max;
    if (!ok) problem(problems, `must be a number from ${min} to ${max}`, at);
  };
}

/** A string of `min` to `max` characters, counted as JavaScript does (UTF-16 units). */
export function string(max: number, min = 0): Check {
  return (value, at, problems) => {
    if (typeof value !== 'string') problem(problems, 'must be a string', at);
    else if (value.length < min) problem(problems, `must be more than ${min - 1} characters`, at);
    else if (value.length > max) problem(problems, `must be less than ${max + 1} characters`, at);
  };
}

export function among(...values: readonly string[]): Check {
  return (value, at, problems) => {
    if (typeof value !== 'string' || !values.includes(value)) problem(problems, `must be one of: ${values.join(', ')}`, at);
  };
}

export function list(item: Check, min: number, max: number): Check {
  return (value, at, problems) => {
    if (!Array.isArray(value)) return problem(problems, 'must be an array', at);
    if (value.length < min) problem(problems, `no fewer than ${min} items allowed`, at);
    if (value.length > max) problem(problems, `no more than ${max} items allowed`, at);
    for (const [index, entry] of value.slice(0, max).entries()) item(entry, `${at}/${index}`, problems);
  };
}

/** An object with these fields and no other. `type` needs no mention. */
export function object(required: Fields, optional: Fields = {}): Check {
  const known: Fields = { type: anything, ...required, ...optional };
  return (value, at, problems) => {
    if (!isRecord(value)) return problem(problems, 'must be an object', at);
    for (const name of Object.keys(required)) {
      if (value[name] === undefined || value[name] === null) problem(problems, `missing required field: ${name}`, at);
    }
    for (const [name, entry] of Object.entries(value)) {
      const check = known[name];
      if (!check) problem(problems, `invalid additional property: ${name}`, at);
      else if (entry !== undefined && entry !== null) check(entry, `${at}/${name}`, problems);
    }
  };
}

/** An object whose `type` chooses the check. */
export function typed(table: Readonly<Record<string, Check>>): Check {
  return (value, at, problems) => {
    if (!isRecord(value)) return problem(problems, 'must be an object', at);
    if (typeof value['type'] !== 'string') return problem(problems, 'missing required field: type', at);
    const check = Object.hasOwn(table, value['type']) ? table[value['type']] : undefined;
    if (!check) return problem(problems, `unsupported type: ${value['type']}`, `${at}/type`);
    check(value, at, problems);
  };
}

/** First check, then a second look at the whole, for rules between fields. */
export function also(check: Check, rule: (value: Record<string, unknown>) => string | undefined): Check {
  return (value, at, problems) => {
    check(value, at, problems);
    const broken = isRecord(value) ? rule(value) : undefined;
    if (broken) problem(problems, broken, at);
  };
}

/** A check named later, for shapes that contain themselves. */
export function later(make: () => Check): Check {
  return (value, at, problems) => make()(value, at, problems);
}

const plain = (max: number): Check => object({ text: string(max, 1) }, { emoji: flag });
const mrkdwn = (max: number): Check => object({ text: string(max, 1) }, { verbatim: flag });

export function plainText(max: number): Check {
  return typed({ plain_text: plain(max) });
}

/** plain_text or mrkdwn of 1 to `max` characters. */
export function anyText(max: number): Check {
  return typed({ plain_text: plain(max), mrkdwn: mrkdwn(max) });
}
