import { appendFileSync, existsSync, readFileSync } from 'node:fs';
import type { Report } from './job.ts';

/** What has been played, as JSON lines: an interruption loses nothing of it, and another run can go on from there. */
export function keepReports(file: string): (report: Report) => void {
  // The line break comes first: the line before may have been cut off.
  return (report) => appendFileSync(file, `\n${JSON.stringify(report)}`);
}

/** The reports that a file holds; a line that was cut off by an interruption is left out. */
export function readReports(file: string): readonly Report[] {
  if (!existsSync(file)) return [];
  return readFileSync(file, 'utf8')
    .split('\n')
    .flatMap((line) => {
      try {
        return [JSON.parse(line) as Report];
      } catch {
        return [];
      }
    });
}
