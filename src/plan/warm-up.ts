/** Connections and caches get this share of the baseline, two seconds at most, before it counts. */
export function warmUpMs(baselineMs: number): number {
  return Math.min(baselineMs * 0.2, 2_000);
}
