import * as z from 'zod';
import { durationField, shellField } from '../fields.ts';

export const commandParameters = () =>
  z.strictObject({
    inject: shellField().meta({
      description:
        'Shell command that injects the fault; run once on each target by its POSIX sh, in the home of the login, as root where the environment says `become: sudo`. What it leaves in the background is ended when the target reverts.',
    }),
    verify: shellField().meta({
      description: 'Shell command that exits 0 while the fault is in effect and not 0 when it is not. Must only read.',
    }),
    revert: shellField().meta({
      description: 'Shell command that undoes the fault. Must exit 0 also when there is nothing left to undo: it may be run several times.',
    }),
    check: shellField().optional().meta({
      description: 'Shell command that exits 0 when nothing is left of the fault. Must only read. Default: `verify` must no longer exit 0.',
    }),
    timeout: durationField({ min: 100, max: 3_600_000 })
      .default('30s')
      .meta({ description: 'Longest time for each of the commands, 100ms to 1h; then it is ended and counts as failed. Default 30s.' }),
  });
export type CommandParameters = z.infer<ReturnType<typeof commandParameters>>;
