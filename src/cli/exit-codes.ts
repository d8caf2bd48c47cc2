/** Exit codes with one meaning each; the table in the README is compared with this by a test. */
export const exitCodes: Readonly<Record<number, string>> = {
  0: 'held',
  1: 'internal error',
  2: 'bad usage or bad file; nothing started',
  3: 'refused by a guard or a preflight check; nothing injected',
  4: 'not steady before start; nothing injected',
  5: 'refuted or aborted, rolled back clean',
  6: 'rollback incomplete or unknown: look at the targets now',
  7: 'inconclusive or not tested, rolled back clean',
  130: 'interrupted by Ctrl-C, rolled back clean',
  143: 'interrupted by SIGTERM, rolled back clean',
};

export const exitUsage = 2;

/** What `code` means, for people. */
export function exitMeaning(code: number): string {
  return exitCodes[code] ?? 'unknown';
}
