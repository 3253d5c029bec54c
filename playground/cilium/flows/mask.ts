/** Field masks over flows: `source.pod_name` keeps only that part. */

type Tree = Map<string, Tree>;

function treeOf(paths: readonly string[]): Tree {
  const root: Tree = new Map();
  for (const path of paths) {
    let at = root;
    for (const part of path.split('.')) {
      const next = at.get(part) ?? new Map();
      at.set(part, next);
      at = next;
    }
  }
  return root;
}

function pick(value: unknown, tree: Tree): unknown {
  if (tree.size === 0 || typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  const from = value as Readonly<Record<string, unknown>>;
  return Object.fromEntries([...tree].flatMap(([name, rest]) => (name in from ? [[name, pick(from[name], rest)]] : [])));
}

/** Keeps only the named parts of a message; no paths keep everything. */
export function createMask(paths: readonly string[]): (message: object) => object {
  if (paths.length === 0) return (message) => message;
  const tree = treeOf(paths);
  return (message) => pick(message, tree) as object;
}
