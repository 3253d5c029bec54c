import { readFileSync } from 'node:fs';

const LINES = 5;

/** The last lines of a log file, as a sentence; empty when nothing was written. */
export function tailOf(logFile: string): string {
  let text: string;
  try {
    text = readFileSync(logFile, 'utf8').trim();
  } catch {
    // It ended before it wrote anything.
    return '';
  }
  return text === '' ? '' : `Last lines of ${logFile}:\n${text.split('\n').slice(-LINES).join('\n')}`;
}
