import type { Json, JsonObject } from '../../json.ts';

/** Words above an entry, by its path (`spec.ingress.0`). */
export type Comments = ReadonlyMap<string, string>;

/** JSON as the YAML people write by hand, two spaces deep, with comments above entries of lists and maps. */
export function yamlOf(value: JsonObject, comments: Comments = new Map()): string {
  return `${mapLines(value, '', comments).join('\n')}\n`;
}

function mapLines(value: JsonObject, path: string, comments: Comments): readonly string[] {
  return Object.entries(value).flatMap(([key, member]): readonly string[] => {
    if (member === undefined) return [];
    const at = path === '' ? key : `${path}.${key}`;
    const lines = valueLines(member, at, comments);
    const above = comment(comments.get(at));
    const name = scalar(key);
    if (lines.length === 1 && !isNested(member)) return [...above, `${name}: ${lines[0]}`];
    return [...above, `${name}:`, ...lines.map((line) => `  ${line}`)];
  });
}

function valueLines(value: Json, path: string, comments: Comments): readonly string[] {
  if (Array.isArray(value)) {
    return (value as readonly Json[]).flatMap((item, index) => {
      const at = `${path}.${index}`;
      const [first = '', ...rest] = valueLines(item, at, comments);
      return [...comment(comments.get(at)), `- ${first}`, ...rest.map((line) => `  ${line}`)];
    });
  }
  return isNested(value) ? mapLines(value as JsonObject, path, comments) : [scalar(value as string | number | boolean | null)];
}

/** Empty lists and maps stand on their line. */
function isNested(value: Json): boolean {
  return typeof value === 'object' && value !== null && Object.keys(value).length > 0;
}

/** Plain where YAML 1.1 and 1.2 read the same word; else as JSON, which is YAML too. */
function scalar(value: Json): string {
  if (typeof value !== 'string') return JSON.stringify(value);
  const isPlain =
    /^[A-Za-z_/][A-Za-z0-9_./-]*(:[A-Za-z0-9_./-]+)?$/.test(value) && !/^(y|n|yes|no|on|off|true|false|null|nan)$/i.test(value);
  return isPlain ? value : JSON.stringify(value);
}

function comment(words: string | undefined): readonly string[] {
  return words === undefined ? [] : words.split('\n').map((line) => `# ${line.replaceAll(/\p{Cc}/gu, ' ')}`);
}
