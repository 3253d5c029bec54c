import type { TextEdit } from '../../../../src/domain/policy/lint/finding.ts';

/** What a person gets who takes the fix. */
export function edited(text: string, { line, column, endLine, endColumn, text: fresh }: TextEdit): string {
  const lines = text.split('\n');
  const offset = (row: number, col: number): number => lines.slice(0, row - 1).join('\n').length + (row > 1 ? 1 : 0) + col - 1;
  return text.slice(0, offset(line, column)) + fresh + text.slice(offset(endLine, endColumn));
}
