/** Bounded fan-out: the only way the project starts many things at once. */

/**
 * Runs `work` over `items`, at most `limit` (≥ 1) at a time, in order; after the first failure or an abort no new one starts, and it
 * rejects with what came first once nothing is running any more.
 */
export async function mapLimit<T, R>(
  items: readonly T[],
  limit: number,
  work: (item: T, index: number) => Promise<R>,
  signal: AbortSignal,
): Promise<R[]> {
  if (!(limit >= 1)) throw new RangeError(`not a limit: ${limit}`);
  const results: R[] = new Array(items.length);
  let next = 0;
  const failures: unknown[] = [];
  const lane = async (): Promise<void> => {
    while (failures.length === 0 && next < items.length) {
      try {
        signal.throwIfAborted();
        const index = next++;
        results[index] = await work(items[index] as T, index);
      } catch (error) {
        failures.push(error);
      }
    }
  };
  // Wait for all lanes even when one failed: nothing may still be running when the caller cleans up.
  await Promise.all(Array.from({ length: Math.min(limit, items.length) }, lane));
  if (failures.length > 0) throw failures[0] as Error;
  return results;
}
