import { normalize } from 'node:path';
import { dnsGrantsOf } from '../domain/policy/lint/dns-grants.ts';
import type { RawDocument } from '../domain/policy/lint/document.ts';
import type { Finding, LintContext } from '../domain/policy/lint/finding.ts';
import { lintDocument } from '../domain/policy/lint/lint.ts';
import { isPolicyObject, objectsIn } from '../domain/policy/objects.ts';
import { hasPatchDirective, patchFiles } from './kustomize.ts';
import { type Limits, OWN_FILES, readPolicies } from './read.ts';
import { applyWaivers, type Waived } from './waivers.ts';

export interface LintOptions {
  /** Name to show with each finding. */
  readonly file?: string;
  /** What is known about the cluster; without it nothing is said that depends on it. */
  readonly live?: LintContext;
}

export interface LintedText {
  readonly findings: readonly Finding[];
  /** Policies in the text; other objects are passed over. */
  readonly policies: number;
}

interface GivenText {
  readonly file?: string | undefined;
  readonly text: string;
}

/** What was looked at in a run, and what was not. */
export interface LintedRun extends LintedText {
  readonly waived: readonly Waived[];
  /** Objects of other kinds. */
  readonly others: number;
  /** Values that something else fills in. */
  readonly placeholders: number;
  /** Parts of objects for kustomize: their keys alone were looked at. */
  readonly patches: number;
  /** Texts that are templates. */
  readonly templates: number;
  /** Texts that could not be read at all. */
  readonly unread: number;
}

interface RunOptions {
  readonly live?: LintContext | undefined;
  /** Policies that are there beside these: what they allow need not be allowed once more. */
  readonly inForce?: readonly GivenText[];
  readonly limits?: Limits;
}

/**
 * Everything that is known to be wrong with the policies in a YAML or JSON text of one or several documents. Total: a text that cannot
 * be read, is larger than 256 KiB, or has aliases without bound is one finding of severity error.
 */
export function lintText(text: string, { file, live }: LintOptions = {}): LintedText {
  const { findings, policies } = lintTexts([{ text, file }], { live });
  return { findings, policies };
}

/** The same for the texts of one run, which are judged together: what one policy lacks may stand in another. */
export function lintTexts(texts: readonly GivenText[], { live, inForce = [], limits }: RunOptions = {}): LintedRun {
  const read = texts.map((given) => ({ ...given, read: readPolicies(given.text, limits) }));
  const documents = read.flatMap((one) => (one.read.ok ? one.read.documents.map((document) => ({ file: one.file, document })) : []));
  const patched = new Set(documents.flatMap(({ file = '', document }) => patchFiles(file, document.value)));
  const others = inForce.flatMap(({ text }) => {
    const other = readPolicies(text, OWN_FILES);
    return other.ok ? other.documents : [];
  });
  const objects = [...documents.map(({ document }) => document), ...others].flatMap(({ value }) => objectsIn(value));
  const context = { ...live, dns: [...(live?.dns ?? []), ...objects.filter(isPolicyObject).flatMap(dnsGrantsOf)] };
  const total = {
    findings: [] as Finding[],
    waived: [] as Waived[],
    policies: 0,
    others: 0,
    placeholders: 0,
    patches: 0,
    templates: 0,
    unread: 0,
  };
  for (const one of read) {
    const linted = lintOne(one, context, patched);
    const { findings, waived } = applyWaivers(one.text, linted.findings, one.file);
    total.findings.push(...findings);
    total.waived.push(...waived);
    for (const count of ['policies', 'others', 'placeholders', 'patches', 'templates', 'unread'] as const) total[count] += linted[count];
  }
  return total;
}

type ReadText = GivenText & { readonly read: ReturnType<typeof readPolicies> };
const NOTHING = { findings: [] as readonly Finding[], policies: 0, others: 0, placeholders: 0, patches: 0, templates: 0, unread: 0 };

function lintOne({ file, read }: ReadText, context: LintContext, patched: ReadonlySet<string>): typeof NOTHING {
  const named = file === undefined ? {} : { file };
  if (!read.ok) {
    const { words, ...problem } = read.problem;
    const isTemplate = problem.rule === 'template';
    const severity = isTemplate ? 'note' : 'error';
    const finding: Finding = { ...problem, ...named, severity, path: '', happens: words, instead: 'Nothing of it was checked.' };
    return { ...NOTHING, findings: [finding], templates: isTemplate ? 1 : 0, unread: isTemplate ? 0 : 1 };
  }
  const isPatch = file !== undefined && patched.has(normalize(file));
  const parts = read.documents.map((document) =>
    isPatch || hasPatchDirective(document.value) ? patchOf(document) : { ...lintDocument(document, context), patches: 0 },
  );
  const sum = (count: 'policies' | 'others' | 'placeholders' | 'patches'): number => parts.reduce((total, one) => total + one[count], 0);
  return {
    ...NOTHING,
    findings: parts.flatMap(({ findings }) => findings.map((one) => ({ ...one, ...named }))),
    policies: sum('policies'),
    others: sum('others'),
    placeholders: sum('placeholders'),
    patches: sum('patches'),
  };
}

function patchOf({ value, placeOf }: RawDocument): ReturnType<typeof lintDocument> & { readonly patches: number } {
  const policies = objectsIn(value).filter(isPolicyObject).length;
  const note: Finding = {
    rule: 'kustomize-patch',
    severity: 'note',
    ...placeOf([]),
    path: '',
    happens: 'This is a patch for kustomize, a part of an object, and was not checked.',
    instead: 'Check what it makes: `kustomize build … | meshops policy check -`.',
  };
  return { findings: policies > 0 ? [note] : [], policies: 0, others: policies > 0 ? 0 : 1, placeholders: 0, patches: policies };
}
