/** Every code a `ChaosError` can carry, with what it means. The README's table is compared with this by a test. */
export const errorCodes = {
  CHAOS_USAGE: 'The command line is wrong.',
  CHAOS_FILE: 'An experiment, environment or other file has mistakes.',
  CHAOS_REFUSED: 'A guard or a preflight check refused; nothing was changed.',
  CHAOS_NO_PROJECT: 'No folder with `experiments/` here or above.',
  CHAOS_NOT_FOUND: 'The named experiment, environment, run or host does not exist.',
  CHAOS_SECRET: 'A secret reference cannot be resolved.',
  CHAOS_SSH_CONNECT: 'An SSH connection could not be opened.',
  CHAOS_SSH_HOST_KEY: 'The host key is unknown or has changed.',
  CHAOS_SSH_AUTH: 'The host refused every key that was offered.',
  CHAOS_TARGET_LOST: 'The connection to a target broke.',
  CHAOS_COMMAND: 'A command on a target failed.',
  CHAOS_SQL: 'A database statement failed.',
  CHAOS_PLAN_DRIFT: 'Something was asked for that is not in the plan.',
  CHAOS_FAULT: 'A fault could not be injected, verified or reverted.',
  CHAOS_JOURNAL: 'The journal cannot be written or read.',
  CHAOS_LAB: 'The lab cannot start, stop or be reached.',
  CHAOS_PROBE: 'A probe cannot measure.',
  CHAOS_INTERNAL: 'A defect in chaos itself.',
} as const satisfies Record<string, string>;

export type ErrorCode = keyof typeof errorCodes;
