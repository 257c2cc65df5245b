/** The middle of the numbers; the mean of the two in the middle where their count is even. `NaN` of none. */
export function median(numbers: readonly number[]): number {
  const sorted = numbers.toSorted((a, b) => a - b);
  const half = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[half]! : (sorted[half - 1]! + sorted[half]!) / 2;
}

/** The smallest number that at least `share` (0 to 1) of all are not above (nearest rank). `NaN` of none. */
export function percentile(numbers: readonly number[], share: number): number {
  const sorted = numbers.toSorted((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? Number.NaN;
}

/** A shuffle that a seed repeats (Fisher–Yates over mulberry32): the order of measuring favours nobody, twice alike. */
export function createShuffle(seed: number): <T>(items: readonly T[]) => T[] {
  let state = seed >>> 0;
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 0x1_0000_0000;
  };
  return (items) => {
    const shuffled = items.slice();
    for (let at = shuffled.length - 1; at > 0; at--) {
      const other = Math.floor(next() * (at + 1));
      [shuffled[at], shuffled[other]] = [shuffled[other]!, shuffled[at]!];
    }
    return shuffled;
  };
}

/**
 * How likely two samples are as far apart as these by chance alone: the rank-sum test of Mann and Whitney, two-sided, by
 * the normal approximation. Ties are as good as none among times this fine.
 */
export function rankSumP(a: readonly number[], b: readonly number[]): number {
  const ranked = [...a.map((ms) => ({ ms, mine: true })), ...b.map((ms) => ({ ms, mine: false }))].sort(
    (one, other) => one.ms - other.ms,
  );
  let rankSum = 0;
  ranked.forEach(({ mine }, at) => {
    if (mine) rankSum += at + 1;
  });
  const u = rankSum - (a.length * (a.length + 1)) / 2;
  const deviation = Math.sqrt((a.length * b.length * (a.length + b.length + 1)) / 12);
  return 2 * (1 - normal(Math.abs((u - (a.length * b.length) / 2) / deviation)));
}

/** The standard normal distribution function for z ≥ 0 (Abramowitz and Stegun 26.2.17, error below 7.5e-8). */
function normal(z: number): number {
  const t = 1 / (1 + 0.2316419 * z);
  const tail =
    t * (0.31938153 + t * (-0.356563782 + t * (1.781477937 + t * (-1.821255978 + t * 1.330274429))));
  return 1 - (Math.exp((-z * z) / 2) / Math.sqrt(2 * Math.PI)) * tail;
}
