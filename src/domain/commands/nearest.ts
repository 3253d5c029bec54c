/** Edit distance with swaps of neighbours (optimal string alignment); texts longer than 40 characters are never near anything. */
function editDistance(a: string, b: string): number {
  if (a.length > 40 || b.length > 40) return Math.max(a.length, b.length);
  let before: number[] = [];
  let above = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i += 1) {
    const row = [i];
    for (let j = 1; j <= b.length; j += 1) {
      const same = a[i - 1] === b[j - 1] ? 0 : 1;
      let least = Math.min((above[j] ?? 0) + 1, (row[j - 1] ?? 0) + 1, (above[j - 1] ?? 0) + same);
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) least = Math.min(least, (before[j - 2] ?? 0) + 1);
      row.push(least);
    }
    before = above;
    above = row;
  }
  return above[b.length] ?? 0;
}

/** The candidates that may have been meant, nearest first: two slips at most, or the same beginning. */
export function nearOnes(typed: string, candidates: readonly string[], most = 3): readonly string[] {
  const near = [...new Set(candidates)].flatMap((name) => {
    const startsSo = typed.length >= 3 && (name.startsWith(typed) || typed.startsWith(`${name}-`));
    const distance = startsSo ? 1.5 : editDistance(typed, name);
    return typed.length > 1 && distance <= 2 ? [{ name, distance }] : [];
  });
  return near
    .toSorted((a, b) => a.distance - b.distance || a.name.localeCompare(b.name))
    .slice(0, most)
    .map(({ name }) => name);
}

/** The candidate nearest to what was typed, if it is near enough to be meant: one slip in three letters. A single letter is no hint. */
export function nearest(typed: string, candidates: readonly string[]): string | undefined {
  const allowed = Math.max(1, Math.floor(typed.length / 3));
  let best: string | undefined;
  let least = allowed + 1;
  for (const candidate of candidates) {
    const startsSo = typed.length >= 3 && candidate.startsWith(typed);
    const distance = startsSo ? 0.5 : editDistance(typed, candidate);
    if (distance < least) [best, least] = [candidate, distance];
  }
  return typed.length > 1 ? best : undefined;
}
