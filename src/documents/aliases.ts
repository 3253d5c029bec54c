import { type Alias, type Document, isAlias, isCollection, isPair, type Node } from 'yaml';

/** Values of a document with its aliases written out; a policy that people review has some thousands. */
const MOST_VALUES = 100_000;

/** The first alias with which the document would be larger than anybody reads: a few lines of them can mean gigabytes. */
export function boundlessAlias(document: Document): Alias | undefined {
  const sizes = new Map<Node, number>();
  const open = new Set<Node>();
  let found: Alias | undefined;
  const sizeOf = (node: unknown): number => {
    if (found || !node) return 0;
    if (isPair(node)) return sizeOf(node.key) + sizeOf(node.value);
    if (isAlias(node)) {
      const target = node.resolve(document);
      // One that stands in what it names has no end; one without a target is an error of its own.
      const size = target === undefined ? 0 : open.has(target) ? Number.POSITIVE_INFINITY : sizeOf(target);
      if (size > MOST_VALUES) found ??= node;
      return size;
    }
    if (!isCollection(node)) return 1;
    const known = sizes.get(node);
    if (known !== undefined) return known;
    open.add(node);
    const size = node.items.reduce<number>((sum, item) => sum + sizeOf(item), 1);
    open.delete(node);
    sizes.set(node, size);
    return size;
  };
  sizeOf(document.contents);
  return found;
}
