/** The number of insertions, deletions, substitutions and swaps of neighbours between two texts. */
function distance(a: string, b: string): number {
  let beforeLast: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const substituted = last[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1);
      let least = Math.min(substituted, last[j]! + 1, row[j - 1]! + 1);
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) {
        least = Math.min(least, beforeLast[j - 2]! + 1);
      }
      row.push(least);
    }
    beforeLast = last;
    last = row;
  }
  return last[b.length]!;
}

function withoutPrefix(name: string): string {
  return name.toUpperCase().replace(/^KYROS_/, "");
}

/** The known name that was probably meant, where one is near: beyond the common prefix, at most a third differs. */
export function nearestName(name: string, known: readonly string[]): string | undefined {
  const typed = withoutPrefix(name);
  let nearest: string | undefined;
  let least = Number.POSITIVE_INFINITY;
  for (const candidate of known) {
    const meant = withoutPrefix(candidate);
    const most = Math.floor(meant.length / 3);
    if (Math.abs(meant.length - typed.length) > most) continue;
    const apart = distance(typed, meant);
    if (apart <= most && apart < least) {
      nearest = candidate;
      least = apart;
    }
  }
  return nearest;
}
