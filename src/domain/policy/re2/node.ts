/** Syntax tree of a regular expression. */
export type Node =
  | { readonly kind: 'char'; readonly matches: (code: number) => boolean }
  | { readonly kind: 'assert'; readonly what: Assertion }
  | { readonly kind: 'sequence'; readonly parts: readonly Node[] }
  | { readonly kind: 'either'; readonly parts: readonly Node[] }
  | { readonly kind: 'repeat'; readonly part: Node; readonly least: number; readonly most: number };

export type Assertion = 'text-start' | 'text-end' | 'line-start' | 'line-end' | 'word' | 'not-word';

/** A regular expression that RE2 and Go's regexp refuse. */
export class RegexSyntaxError extends Error {
  override readonly name = 'RegexSyntaxError';
}
