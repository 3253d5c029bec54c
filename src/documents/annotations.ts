import type { Finding, Severity } from '../domain/policy/lint/finding.ts';

const COMMANDS: Readonly<Record<Severity, string>> = { error: 'error', warning: 'warning', note: 'notice' };

/** A finding as a workflow command of GitHub Actions, which shows it beside the line. */
export function annotationOf({ severity, rule, file, line, column, endLine, endColumn, happens, instead }: Finding): string {
  const at = Object.entries({ file: file ?? '-', line, col: column, endLine, endColumn, title: rule });
  const properties = at.map(([name, value]) => `${name}=${escaped(String(value)).replaceAll(':', '%3A').replaceAll(',', '%2C')}`);
  return `::${COMMANDS[severity]} ${properties.join(',')}::${escaped(`${happens} ${instead}`)}`;
}

function escaped(text: string): string {
  return text.replaceAll('%', '%25').replaceAll('\r', '%0D').replaceAll('\n', '%0A');
}
