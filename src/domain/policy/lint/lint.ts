import { nearest } from '../../commands/nearest.ts';
import { objectsIn } from '../objects.ts';
import type { RawDocument } from './document.ts';
import type { Finding, Fix, LintContext } from './finding.ts';
import { invalidity } from './invalid.ts';
import { lintKubernetes } from './kubernetes.ts';
import { valueAt } from './patch.ts';
import { pathText, pointer } from './path.ts';
import { hasPlaceholders, placeholdersIn } from './placeholders.ts';
import { createRecheck } from './recheck.ts';
import { POLICY_RULES } from './rules.ts';
import type { Said } from './said.ts';
import { type Located, type PolicyView, type Raw, viewPolicy } from './view.ts';

const KINDS = ['CiliumNetworkPolicy', 'CiliumClusterwideNetworkPolicy'] as const;
const VERSION = 'cilium.io/v2';
/** Other kinds of the group are not ours to judge. */
const GROUP = /^cilium\.io\//;

interface Linted {
  readonly findings: readonly Finding[];
  /** Policies found in the document; a List can hold several. */
  readonly policies: number;
  /** Objects of other kinds, which are passed over. */
  readonly others: number;
  /** Values that something else fills in: not checked. */
  readonly placeholders: number;
}

/** Rules compare parts of a policy with each other; nobody reviews a policy with more entries than this. */
const MOST_ENTRIES = 5_000;

/** Of one document. Each finding is looked up in the text, and these are far more than anybody corrects at once. */
const MOST_FINDINGS = 2_000;
const RANKS = ['error', 'warning', 'note'] as const;

function mostFindings(said: readonly Said[]): readonly Said[] {
  const kept = RANKS.flatMap((rank) => said.filter(({ severity }) => severity === rank)).slice(0, MOST_FINDINGS);
  const left = said.length - kept.length;
  const more: Said = {
    rule: 'too-large',
    severity: 'note',
    path: [],
    happens: `There are ${left} more findings in this document.`,
    instead: 'Correct these first, then check again.',
  };
  return [...kept, more];
}

/**
 * Everything that is known to be wrong with the policies of one document, in the order of the text. Other objects are passed over.
 * Total: any value gives its findings.
 */
export function lintDocument(document: RawDocument, context: LintContext = {}): Linted {
  const objects = objectsIn(document.value);
  const said = objects.flatMap((object) => lintObject(object, context, document));
  const policies = objects.filter(isPolicy);
  const placeholders = policies.reduce((sum, { value }) => sum + placeholdersIn(value), 0);
  const known = placeholders === 0 ? said : said.filter((one) => !isUncertain(one, document.value));
  // Errors first: they are what must be seen where there is more than anybody reads.
  const kept = known.length > MOST_FINDINGS ? mostFindings(known) : known;
  const recheck = createRecheck(objects, known, (object) => lintObject(object, context, {}));
  const findings = kept
    .map((one) => finding(one, document, recheck))
    .toSorted((x, y) => x.line - y.line || x.column - y.column || x.rule.localeCompare(y.rule));
  return { findings, policies: policies.length, others: objects.length - policies.length, placeholders };
}

/** What it speaks of, or says, is filled in by something else. */
function isUncertain({ path, happens }: Said, value: unknown): boolean {
  return hasPlaceholders(happens) || hasPlaceholders(valueAt(value, path));
}

function isPolicy({ value }: Located<Raw>): boolean {
  return KINDS.some((kind) => kind === value['kind']) || isKubernetes(value);
}

function isKubernetes({ kind, apiVersion }: Raw): boolean {
  return kind === 'NetworkPolicy' && String(apiVersion).startsWith('networking.k8s.io/');
}

function lintObject(object: Located<Raw>, context: LintContext, { sourceOf }: Pick<RawDocument, 'sourceOf'>): readonly Said[] {
  if (!isPolicy(object)) return unknownKind(object);
  const entries = entriesIn(object.value);
  if (entries > MOST_ENTRIES) return [tooLarge(object, entries)];
  if (isKubernetes(object.value)) return lintKubernetes(object, context);
  const policy = viewPolicy(object, object.value['kind'] === 'CiliumClusterwideNetworkPolicy', sourceOf);
  const said: Said[] = [...wrongVersion(object)];
  const explained = new Set<string>();
  for (const { id, severity, check } of POLICY_RULES) {
    for (const draft of check(policy, context)) {
      // What a rule of its own explains better.
      if (id === 'unknown-field' && explained.has(pointer(draft.path))) continue;
      const at = pointer(draft.path);
      if (id === 'schema' && ([...explained].some((path) => isWithin(path, at)) || isGone(said, at))) continue;
      for (const path of [draft.path, ...(draft.also ?? [])]) explained.add(pointer(path));
      said.push({ rule: id, severity, ...draft });
    }
  }
  return [...said, ...invalid(policy, said)];
}

/** Rules about keys that are dropped with everything below. */
const DROPPED: readonly string[] = ['requires', 'unknown-field', 'copied-rule', 'from-services', 'namespace-selector'];

function isGone(said: readonly Said[], at: string): boolean {
  return said.some(({ rule, path }) => DROPPED.includes(rule) && isWithin(at, pointer(path)));
}

function isWithin(path: string, around: string): boolean {
  return path === around || path.startsWith(`${around}/`);
}

/** List entries at any depth. Stops counting where it is too many. */
function entriesIn(object: Raw): number {
  const open: unknown[] = [object];
  let entries = 0;
  for (let next = open.pop(); typeof next === 'object' && next !== null; next = open.pop()) {
    if (Array.isArray(next)) entries += next.length;
    if (entries > MOST_ENTRIES) break;
    open.push(...Object.values(next).filter((one) => typeof one === 'object' && one !== null));
  }
  return entries;
}

function tooLarge({ path }: Located<Raw>, entries: number): Said {
  return {
    rule: 'too-large',
    severity: 'error',
    path,
    happens: `The policy has ${entries} list entries or more; with more than ${MOST_ENTRIES} it is not checked.`,
    instead: 'Split it into several policies: their rules add up.',
  };
}

const SAYS_IT: readonly string[] = ['schema', 'port-range', 'http-glob', 'http-method'];
const NO_SUBJECT = 'must have one of EndpointSelector or NodeSelector';

/** A fix that gives the policy its selector. */
function namesSubject({ fix }: Said): boolean {
  return fix?.patch.some((one) => one.path.endsWith('/endpointSelector')) ?? false;
}

function invalid(policy: PolicyView, said: readonly Said[]): readonly Said[] {
  const found = invalidity(policy);
  // That an empty policy is refused is what this rule has said already, with the way out.
  if (!found || (said.some(({ rule }) => rule === 'empty-sections') && found.error.includes('at least one of'))) return [];
  if ((found.error.includes(NO_SUBJECT) && said.some(namesSubject)) || isGone(said, pointer(found.path))) return [];
  // The schema refuses the same, at its place and with the right form.
  if (said.some(({ rule, path }) => SAYS_IT.includes(rule) && isWithin(pointer(path), pointer(found.path)))) return [];
  return [
    {
      rule: 'invalid',
      severity: 'error',
      path: found.path,
      happens: `Cilium refuses the policy: ${found.error}. ${found.decodes ? 'The server may store it all the same (condition Valid=False), and nothing of it is enforced.' : 'Types do not fit, so that neither the server nor an agent can read it.'}`,
      instead: 'Correct what the message names; nothing of this policy works before.',
    },
  ];
}

function wrongVersion({ path, value }: Located<Raw>): readonly Said[] {
  if (value['apiVersion'] === VERSION) return [];
  return [
    {
      rule: 'unknown-kind',
      severity: 'error',
      path: [...path, 'apiVersion'],
      happens: `The server knows ${String(value['kind'])} only as \`${VERSION}\`: this object is refused.`,
      instead: `\`apiVersion: ${VERSION}\`.`,
      fix: { words: VERSION, patch: [{ op: 'add', path: `${path.map((step) => `/${step}`).join('')}/apiVersion`, value: VERSION }] },
    },
  ];
}

function unknownKind({ path, value }: Located<Raw>): readonly Said[] {
  const kind = value['kind'];
  const near = typeof kind === 'string' ? nearest(kind, KINDS) : undefined;
  if (typeof kind !== 'string' || !near || !GROUP.test(String(value['apiVersion']))) return [];
  return [
    {
      rule: 'unknown-kind',
      severity: 'error',
      path: [...path, 'kind'],
      happens: `There is no kind \`${kind}\`: the server refuses the object, and no policy is in force.`,
      instead: `Did you mean \`${near}\`?`,
      fix: { words: near, patch: [{ op: 'replace', path: `${path.map((step) => `/${step}`).join('')}/kind`, value: near }] },
    },
  ];
}

function finding(said: Said, document: RawDocument, recheck: (said: Said) => Fix | undefined): Finding {
  const { rule, severity, path, happens, instead } = said;
  const fix = recheck(said);
  return {
    rule,
    severity,
    ...document.placeOf(path),
    path: pathText(path),
    happens,
    instead,
    ...(fix ? { fix: withEdit(fix, document) } : {}),
  };
}

function withEdit(fix: Fix, document: RawDocument): Fix {
  const edit = document.editOf?.(fix.patch);
  return edit ? { ...fix, edit } : fix;
}
