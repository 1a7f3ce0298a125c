/** Fast first, slow at the end: the cubic curve from 0 to 1. */
export function easeOutCubic(progress: number): number {
  const p = Math.min(Math.max(progress, 0), 1);
  return 1 - (1 - p) ** 3;
}

/** Where a counter is on its way, after so many of its milliseconds. */
export function between(from: number, to: number, passed: number, length: number): number {
  if (length <= 0 || passed >= length) return to;
  return from + (to - from) * easeOutCubic(passed / length);
}
