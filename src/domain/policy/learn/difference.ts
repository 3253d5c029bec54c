/** Longer texts are not compared line by line: the table of the longest common part would not fit. */
const MOST_LINES = 2_000;

/** The lines of two texts with `-`, `+` or two spaces in front: what must change for the first to be the second. */
export function lineDifference(before: string, after: string): readonly string[] {
  const [a, b] = [before.trimEnd().split('\n'), after.trimEnd().split('\n')];
  if (a.length > MOST_LINES || b.length > MOST_LINES) return [...a.map((line) => `- ${line}`), ...b.map((line) => `+ ${line}`)];
  const width = b.length + 1;
  // Length of the longest common subsequence of the rests from (i, j) on.
  const common = new Uint16Array((a.length + 1) * width);
  const at = (i: number, j: number): number => common[i * width + j] ?? 0;
  for (let i = a.length - 1; i >= 0; i -= 1)
    for (let j = b.length - 1; j >= 0; j -= 1)
      common[i * width + j] = a[i] === b[j] ? at(i + 1, j + 1) + 1 : Math.max(at(i + 1, j), at(i, j + 1));
  const lines: string[] = [];
  let [i, j] = [0, 0];
  while (i < a.length || j < b.length) {
    if (i < a.length && j < b.length && a[i] === b[j]) {
      lines.push(`  ${a[i]}`);
      i += 1;
      j += 1;
    } else if (i < a.length && (j >= b.length || at(i + 1, j) >= at(i, j + 1))) {
      lines.push(`- ${a[i]}`);
      i += 1;
    } else {
      lines.push(`+ ${b[j]}`);
      j += 1;
    }
  }
  return lines;
}
