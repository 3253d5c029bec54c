import { nearest } from '../../../commands/nearest.ts';
import type { Path } from '../finding.ts';
import { type Draft, fix, type LintRule, replace } from '../rule.ts';
import { type Keys, type Leaf, POLICY_SHAPE, type Shape } from '../schema.ts';
import { asRecord } from '../view.ts';

/** Values that the CRD's schema refuses. Keys that do not exist have a rule of their own. */
export const schemaTypes: LintRule = {
  id: 'schema',
  severity: 'error',
  title: "The CRD's schema refuses the value",
  check: ({ path, value, sourceOf }) => misfits(value, path, POLICY_SHAPE).map((draft) => asWritten(draft, sourceOf?.(draft.path))),
};

/** `on` is a boolean to kubectl, and what its author meant is the word. */
function asWritten(draft: Draft, source: string | undefined): Draft {
  const [only] = draft.fix?.patch ?? [];
  if (source === undefined || !only || !('value' in only) || typeof only.value !== 'string' || !draft.fix?.words.includes('in quotes'))
    return draft;
  return {
    ...draft,
    happens: `${draft.happens} It is written \`${source}\`.`,
    fix: fix(`Write "${source}" in quotes`, replace(draft.path, source)),
  };
}

/** Total. A value that is null counts as absent. */
export function misfits(value: unknown, path: Path, shape: Shape): readonly Draft[] {
  if (shape === true || value === undefined || value === null) return [];
  if ('type' in shape) return leafMisfit(value, path, shape);
  if ('each' in shape) {
    if (!Array.isArray(value)) return [wrongType(value, path, 'a list')];
    const many = shape.most !== undefined && value.length > shape.most ? [tooMany(path, value.length, shape.most)] : [];
    return [...many, ...value.flatMap((item, index) => misfits(item, [...path, index], shape.each))];
  }
  const record = asRecord(value);
  if (!record) return [wrongType(value, path, 'a mapping')];
  const inner = Object.entries(record).flatMap(([key, one]) =>
    misfits(one, [...path, key], (Object.hasOwn(shape.keys, key) ? shape.keys[key] : shape.others) ?? true),
  );
  return [...combination(record, path, shape), ...inner];
}

function combination(
  record: Readonly<Record<string, unknown>>,
  path: Path,
  { required = [], one = [], some = [] }: Keys,
): readonly Draft[] {
  const has = (key: string): boolean => record[key] !== undefined;
  const missing = required.filter((key) => !has(key));
  const given = one.filter(has);
  const refused = (happens: string, instead: string): Draft => ({ path, happens: `The server refuses this: ${happens}`, instead });
  return [
    ...(missing.length > 0 ? [refused(`${missing.join(' and ')} must be given.`, `Add ${missing.join(' and ')}.`)] : []),
    ...(one.length > 0 && given.length !== 1
      ? [
          refused(
            `exactly one of ${one.join(', ')} must be given, and ${given.length === 0 ? 'none is' : `${given.length} are`}.`,
            'Give one.',
          ),
        ]
      : []),
    ...(some.length > 0 && !some.some(has) ? [refused(`one of ${some.join(', ')} must be given.`, 'Give at least one.')] : []),
  ];
}

function leafMisfit(value: unknown, path: Path, shape: Leaf): readonly Draft[] {
  switch (shape.type) {
    case 'flag':
      return typeof value === 'boolean' ? [] : [asFlag(value, path)];
    case 'whole':
      return wholeMisfit(value, path, shape);
    case 'whole or text':
      return Number.isInteger(value) || typeof value === 'string' ? [] : [wrongType(value, path, 'a whole number or a text')];
    case 'text':
      return typeof value === 'string' ? textMisfit(value, path, shape) : [asText(value, path)];
    default:
      return shape satisfies never;
  }
}

function wholeMisfit(
  value: unknown,
  path: Path,
  { least = 0, most = 65_535 }: { readonly least?: number; readonly most?: number },
): readonly Draft[] {
  if (typeof value === 'number' && Number.isInteger(value) && value >= least && value <= most) return [];
  const number = typeof value === 'string' && /^\d{1,5}$/.test(value) ? Number(value) : undefined;
  const right =
    number !== undefined && number >= least && number <= most ? fix(`Write ${number} without quotes`, replace(path, number)) : undefined;
  return [{ ...wrongType(value, path, `a whole number from ${least} to ${most}`), ...(right && { fix: right }) }];
}

function textMisfit(value: string, path: Path, { enum: names, pattern, most, least }: Extract<Leaf, { type: 'text' }>): readonly Draft[] {
  const refused = (happens: string, instead: string): Draft => ({ path, happens: `The server refuses \`${value}\`: ${happens}`, instead });
  if (names && !names.includes(value)) {
    const near = names.find((one) => one.toLowerCase() === value.toLowerCase()) ?? MEANT[value.toLowerCase()] ?? nearest(value, names);
    const known = near !== undefined && names.includes(near) ? near : undefined;
    return [
      {
        ...refused(`it is none of ${names.join(', ')}.`, known === undefined ? 'Write one of them.' : `\`${known}\`.`),
        ...(known === undefined ? {} : { fix: fix(`Write ${known}`, replace(path, known)) }),
      },
    ];
  }
  if (most !== undefined && charactersOf(value) > most) return [refused(`it is longer than ${most} characters.`, 'Shorten it.')];
  if (least !== undefined && value.length < least) return [refused('it is empty.', 'Give it a value.')];
  return pattern && !pattern.test(value)
    ? [refused('it has characters that are not allowed here.', 'Letters, digits, `-`, `_` and `.` only.')]
    : [];
}

/** Words of other products. */
const MEANT: Readonly<Record<string, string>> = { mutual: 'required', enabled: 'required', off: 'disabled' };

function asText(value: unknown, path: Path): Draft {
  const isScalar = typeof value === 'boolean' || typeof value === 'number';
  const text = String(value);
  return {
    ...wrongType(value, path, 'a text'),
    ...(isScalar ? { fix: fix(`Write "${text}" in quotes`, replace(path, text)) } : {}),
  };
}

function asFlag(value: unknown, path: Path): Draft {
  const meant = typeof value === 'string' ? { true: true, false: false }[value.toLowerCase()] : undefined;
  return {
    ...wrongType(value, path, 'true or false'),
    ...(meant === undefined ? {} : { fix: fix(`Write ${meant} without quotes`, replace(path, meant)) }),
  };
}

function wrongType(value: unknown, path: Path, wanted: string): Draft {
  return {
    path,
    happens: `Types do not fit, so that neither the server nor an agent can read it: this is ${typeName(value)}, and must be ${wanted}.`,
    instead: `Write ${wanted}.`,
  };
}

function tooMany(path: Path, count: number, most: number): Draft {
  return { path, happens: `The server refuses ${count} entries here: at most ${most} are allowed.`, instead: 'Split the rule in two.' };
}

function typeName(value: unknown): string {
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'object') return 'a mapping';
  if (typeof value === 'boolean') return `the boolean ${String(value)}, for kubectl`;
  return typeof value === 'number' ? `the number ${value}` : 'a text';
}

/** Characters as the API server counts them: code points, not halves of surrogate pairs. */
function charactersOf(value: string): number {
  return Array.from(value).length;
}
