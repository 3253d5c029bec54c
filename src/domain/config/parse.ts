import * as z from 'zod';
import { nearest } from '../commands/nearest.ts';
import { Config } from './schema.ts';
import { type ConfigProblem, secretsIn } from './secrets.ts';

type ParsedConfig = { readonly ok: true; readonly config: Config } | { readonly ok: false; readonly problems: readonly ConfigProblem[] };

/** Reads the value of a meshops.yaml. Total: any value gives a configuration or everything that is wrong with it. */
export function parseConfig(value: unknown): ParsedConfig {
  const secrets = secretsIn(value);
  if (secrets.length > 0) return { ok: false, problems: secrets };
  const parsed = Config.safeParse(value);
  const problems = parsed.success ? contradictions(parsed.data) : parsed.error.issues.flatMap((issue) => problemsOf(issue, value));
  return parsed.success && problems.length === 0 ? { ok: true, config: parsed.data } : { ok: false, problems };
}

/** What is right by itself and wrong together. */
function contradictions(config: Config): readonly ConfigProblem[] {
  const clusters = Object.keys(config.clusters);
  const unknown = (name: string) => `There is no cluster \`${name}\` in this file; there is ${clusters.join(', ')}.`;
  const seen = new Set<string>();
  return [
    ...config.channels.flatMap(({ id, cluster }, index) => {
      const twice = seen.has(id) ? [{ path: ['channels', index, 'id'], words: `Channel ${id} is given twice.` }] : [];
      seen.add(id);
      const stray = cluster !== undefined && !clusters.includes(cluster);
      return [...twice, ...(stray ? [{ path: ['channels', index, 'cluster'], words: unknown(cluster) }] : [])];
    }),
    ...config.freezes.flatMap(({ scope }, index) => {
      const [cluster = ''] = scope.split('/');
      return scope === '*' || clusters.includes(cluster) ? [] : [{ path: ['freezes', index, 'scope'], words: unknown(cluster) }];
    }),
    ...config.gates.flatMap((gate, index) => [
      ...(gate.clusters ?? []).flatMap((cluster, at) =>
        clusters.includes(cluster) ? [] : [{ path: ['gates', index, 'clusters', at], words: unknown(cluster) }],
      ),
      ...(gate.verbs ?? []).flatMap((verb, at) =>
        verb === 'rollback' || verb === 'abort'
          ? [{ path: ['gates', index, 'verbs', at], words: `\`${verb}\` never waits for an approval: the way back is always open.` }]
          : [],
      ),
    ]),
  ];
}

function problemsOf(issue: z.core.$ZodIssue, value: unknown): readonly ConfigProblem[] {
  const path = issue.path.map((step) => (typeof step === 'number' ? step : String(step)));
  // Two ways of writing one thing: what is wrong is told of the way that was meant.
  if (issue.code === 'invalid_union' && issue.message === UNTOLD) {
    const meant = issue.errors.find((branch) => !branch.some(({ code, path: at }) => code === 'invalid_type' && at.length === 0));
    if (meant) return meant.flatMap((one) => problemsOf({ ...one, path: [...issue.path, ...one.path] }, value));
  }
  if (issue.code === 'unrecognized_keys') return issue.keys.map((key) => ({ path: [...path, key], words: unknownKey(key) }));
  if (issue.code === 'invalid_key') return [{ path, words: issue.issues[0]?.message ?? 'This key is not allowed here.' }];
  if (issue.code === 'invalid_type' && at(value, path) === undefined) {
    return [{ path, words: `\`${path.at(-1) ?? 'the file'}\` is missing${path.length === 0 ? ': the file is empty' : ''}.` }];
  }
  if (issue.code === 'invalid_type') return [{ path, words: `Expected ${KINDS[issue.expected] ?? `a ${issue.expected}`}.` }];
  return [{ path, words: /[.!?]$/.test(issue.message) ? issue.message : `${issue.message}.` }];
}

/** Zod's words where a schema has none of its own. */
const UNTOLD = 'Invalid input';

const KINDS: Readonly<Record<string, string>> = {
  object: 'a block of `key: value` lines',
  record: 'a block of `key: value` lines',
  array: 'a list',
  string: 'a text',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
};

/** Every key of the file, for suggestions: read from the schema itself. */
const KNOWN_KEYS = keysIn(z.toJSONSchema(Config, { io: 'input', unrepresentable: 'any', reused: 'inline' }));

function keysIn(schema: unknown): readonly string[] {
  if (typeof schema !== 'object' || schema === null) return [];
  const own = 'properties' in schema && schema.properties ? Object.keys(schema.properties) : [];
  return [...new Set([...own, ...Object.values(schema).flatMap(keysIn)])];
}

function unknownKey(key: string): string {
  const near = nearest(key, KNOWN_KEYS);
  // A known key in the wrong block is near to itself, which would be no hint.
  return near === undefined || near === key
    ? `There is no key \`${key}\` here.`
    : `There is no key \`${key}\` here; did you mean \`${near}\`?`;
}

function at(value: unknown, path: readonly (string | number)[]): unknown {
  return path.reduce<unknown>(
    (now, step) => (typeof now === 'object' && now !== null ? (now as Record<string | number, unknown>)[step] : undefined),
    value,
  );
}
