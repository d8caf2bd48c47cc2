/** What counts as an answer to an operation, and what of it goes into the journal. */
import { assertNever } from '../core/assert-never.ts';
import { ChaosError } from '../core/errors.ts';
import { tail } from '../core/text.ts';
import type { CommandResult } from '../drivers/contract.ts';
import type { OperationOptions, OperationResult } from '../faults/contract.ts';
import type { Operation } from '../plan/plan.ts';

export interface Answer {
  readonly operation: Operation;
  /** Where the command ran: a copy has two places. */
  readonly target: string;
  readonly result: CommandResult;
  readonly accept?: OperationOptions['accept'];
  readonly signal: AbortSignal;
}

/** @throws {ChaosError} when the command did not run to its end, or ended with a code that was not expected. */
export function accepted({ operation, target, result, accept = [0], signal }: Answer): OperationResult {
  const say = (what: string): string => `${operation.purpose}: ${what}`;
  switch (result.ended) {
    case 'exited':
      break;
    case 'aborted':
      throw signal.reason instanceof Error ? signal.reason : new ChaosError('CHAOS_COMMAND', say('aborted'), { target });
    case 'timed-out':
      throw new ChaosError('CHAOS_COMMAND', say(`no end within ${operation.timeoutMs} ms`), { target });
    case 'lost':
      throw new ChaosError('CHAOS_TARGET_LOST', say(result.lostBecause ?? 'connection lost'), { target });
    default:
      assertNever(result.ended);
  }
  const fine = accept === 'any' || (result.exitCode !== null && accept.includes(result.exitCode));
  if (!fine) {
    const how = result.exitCode === null ? `killed by ${result.signal ?? 'a signal'}` : `exit code ${result.exitCode}`;
    throw new ChaosError('CHAOS_COMMAND', say(`${how}${cut(result)}: ${tail(result.stderr || result.stdout)}`), { target });
  }
  const { exitCode, stdout, stderr, truncated } = result;
  return { exitCode, stdout, stderr, ...(truncated ? { truncated } : {}), rows: [] };
}

export function summary(result: OperationResult): string {
  if (result.rows.length > 0) return tail(JSON.stringify(result.rows), 200);
  return `${tail(result.stdout || result.stderr, 200)}${cut(result)}`;
}

/** The reader must not take a part of an output for all of it. */
function cut({ truncated }: { readonly truncated?: boolean }): string {
  return truncated === true ? ' (not all of its output was kept)' : '';
}
