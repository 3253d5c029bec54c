// Findings as SARIF 2.1.0 (OASIS standard), which code hosts show beside the lines of a pull request.
import type { Finding, Severity, TextEdit } from '../domain/policy/lint/finding.ts';
import { RULE_TITLES } from '../domain/policy/lint/rules.ts';

const SCHEMA = 'https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json';

const LEVELS: Readonly<Record<Severity, string>> = { error: 'error', warning: 'warning', note: 'note' };

interface SarifInput {
  readonly findings: readonly Finding[];
  /** Files that could not be read, with the reason. */
  readonly unreadable: readonly { readonly file: string; readonly words: string }[];
  /** Said once for the run. */
  readonly note: string;
}

/** One run with every rule, each finding with its place, and its fix where the text can be edited. */
export function toSarif({ findings, unreadable, note }: SarifInput): object {
  return {
    $schema: SCHEMA,
    version: '2.1.0',
    runs: [
      {
        tool: {
          driver: {
            name: 'meshops policy check',
            rules: RULE_TITLES.map(({ id, severity, title }) => ({
              id,
              shortDescription: { text: title },
              defaultConfiguration: { level: LEVELS[severity] },
            })),
          },
        },
        columnKind: 'utf16CodeUnits',
        invocations: [
          {
            executionSuccessful: unreadable.length === 0,
            toolExecutionNotifications: [
              ...unreadable.map(({ file, words }) => ({
                level: 'error',
                message: { text: words },
                locations: [{ physicalLocation: { artifactLocation: { uri: uriOf(file) } } }],
              })),
              { level: 'note', message: { text: note } },
            ],
          },
        ],
        results: findings.map(resultOf),
      },
    ],
  };
}

function resultOf(finding: Finding): object {
  const artifactLocation = { uri: uriOf(finding.file ?? 'stdin') };
  const edit = finding.fix?.edit;
  return {
    ruleId: finding.rule,
    ruleIndex: RULE_TITLES.findIndex(({ id }) => id === finding.rule),
    level: LEVELS[finding.severity],
    message: { text: `${finding.happens} ${finding.instead}` },
    locations: [
      {
        physicalLocation: { artifactLocation, region: regionOf(finding) },
        ...(finding.path === '' ? {} : { logicalLocations: [{ fullyQualifiedName: finding.path }] }),
      },
    ],
    ...(edit && finding.fix ? { fixes: [fixOf(finding.fix.words, edit, artifactLocation)] } : {}),
  };
}

function fixOf(words: string, edit: TextEdit, artifactLocation: object): object {
  return {
    description: { text: words },
    artifactChanges: [{ artifactLocation, replacements: [{ deletedRegion: regionOf(edit), insertedContent: { text: edit.text } }] }],
  };
}

function regionOf({ line, column, endLine, endColumn }: Finding | TextEdit): object {
  return { startLine: line, startColumn: column, endLine, endColumn };
}

/** A path relative to where the check was started becomes a relative reference (RFC 3986). */
function uriOf(file: string): string {
  if (file === '-') return 'stdin';
  const path = file
    .replaceAll('\\', '/')
    .replace(/^(\.\/)+/, '')
    .split('/')
    .map(encodeURIComponent)
    .join('/');
  return path.startsWith('/') ? `file://${path}` : path;
}
