/** Keys that hold secrets elsewhere. `keyFile` and the like are paths, so they are fine. */
const SECRET_KEY = /token|secret|passw|credential|private|signing|api_?key|^key$|bearer|codecKey|dsn/i;
const PATH_KEY = /(File|Path)$/;
/** Slack tokens, PEM blocks, JSON web tokens, and a user's password inside a URL. */
const SECRET_VALUE = /^(xox[a-z]-|xapp-|-----BEGIN |eyJ[\w-]+\.[\w-]+\.)|:\/\/[^/\s:@]*:[^/\s@]+@/;
/** No configuration is deeper; a value that contains itself must end too. */
const DEEPEST = 12;

/** Everything in the file that looks like a secret. The value itself is never repeated. */
export function secretsIn(value: unknown, path: readonly (string | number)[] = []): readonly ConfigProblem[] {
  if (typeof value === 'string' && SECRET_VALUE.test(value)) return [{ path, words: `This looks like a secret. ${WHERE}` }];
  if (typeof value !== 'object' || value === null || path.length >= DEEPEST) return [];
  if (Array.isArray(value)) return value.flatMap((item, index) => secretsIn(item, [...path, index]));
  return Object.entries(value).flatMap(([key, item]) =>
    SECRET_KEY.test(key) && !PATH_KEY.test(key)
      ? [{ path: [...path, key], words: `\`${key}\` sounds like a secret. ${WHERE}` }]
      : secretsIn(item, [...path, key]),
  );
}

const WHERE =
  'Secrets never stand in this file: they come from the environment or from files that it names. If it was shared, replace the secret.';

/** One thing that is wrong, and where: `path` leads from the top of the file to the value. */
export interface ConfigProblem {
  readonly path: readonly (string | number)[];
  readonly words: string;
}
