import { structuredPatch } from 'diff';
import type { FileChange } from './documents.ts';

/** A patch as `git apply` takes it. */
export function patchOf(changes: readonly FileChange[]): string {
  return changes.map(filePatch).join('');
}

function filePatch({ path, before, after }: FileChange): string {
  const { hunks } = structuredPatch(path, path, before ?? '', after ?? '', undefined, undefined, { context: 3 });
  const mode = before === null ? ['new file mode 100644'] : after === null ? ['deleted file mode 100644'] : [];
  const [from, to] = [quoted(`a/${path}`), quoted(`b/${path}`)];
  const head = [
    `diff --git ${from} ${to}`,
    ...mode,
    `--- ${before === null ? '/dev/null' : from}`,
    `+++ ${after === null ? '/dev/null' : to}`,
  ];
  const body = hunks.flatMap(({ oldStart, oldLines, newStart, newLines, lines }) => [
    `@@ -${rangeOf(oldStart, oldLines)} +${rangeOf(newStart, newLines)} @@`,
    ...lines,
  ]);
  return `${[...head, ...body].join('\n')}\n`;
}

/** An empty side begins at line 0. */
function rangeOf(start: number, lines: number): string {
  if (lines === 0) return `${Math.max(0, start - 1)},0`;
  return lines === 1 ? `${start}` : `${start},${lines}`;
}

/** Git quotes a path with a sign that would end it early. */
function quoted(path: string): string {
  return /[\s"\\]/.test(path) ? JSON.stringify(path) : path;
}
