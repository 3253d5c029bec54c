// YAML as kubectl reads it: YAML 1.2 as far as people use it, but with the booleans of 1.1 (`yes`, `on`, `y`), and with merges.
import { type CollectionTag, type Document, type LineCounter, type ParseOptions, parseAllDocuments, Scalar, type ScalarTag } from 'yaml';

const TRUE = /^(?:y|Y|yes|Yes|YES|true|True|TRUE|on|On|ON)$/;
const BOOLEAN = /^(?:y|Y|yes|Yes|YES|true|True|TRUE|on|On|ON|n|N|no|No|NO|false|False|FALSE|off|Off|OFF)$/;

const booleans: ScalarTag = {
  identify: (value) => typeof value === 'boolean',
  default: true,
  tag: 'tag:yaml.org,2002:bool',
  test: BOOLEAN,
  resolve: (text) => new Scalar(TRUE.test(text)),
  stringify: ({ source, value }) => (source !== undefined && TRUE.test(source) === value ? source : String(value)),
};

/** For reading and for writing alike: a text that would be read as a boolean is written in quotes. */
export const KUBECTL_YAML = {
  schema: 'core',
  merge: true,
  customTags: (tags: readonly (ScalarTag | CollectionTag | string)[]) => [
    booleans,
    ...tags.filter((tag) => typeof tag === 'string' || tag.tag !== booleans.tag),
  ],
} as const;

const OPTIONS: ParseOptions = { prettyErrors: false, uniqueKeys: false };

/** All documents of a text. What is wrong with one is among its errors. */
export function parseYaml(text: string, lineCounter?: LineCounter): readonly Document[] {
  const documents = parseAllDocuments(text, {
    ...OPTIONS,
    ...(KUBECTL_YAML as object),
    logLevel: 'silent',
    ...(lineCounter && { lineCounter }),
  });
  return Array.isArray(documents) ? documents : [];
}

/** Aliases are as large as what they stand for; how large, is known before. */
export function valueOf(document: Document): unknown {
  return document.toJS({ maxAliasCount: -1 }) as unknown;
}
