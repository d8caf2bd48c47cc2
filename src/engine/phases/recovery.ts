/** Waits until every SLO is back and stays for the hold time, then stops the probes and asks the ledgers what became of the writes. */
import { describeError } from '../../core/errors.ts';
import { formatDuration } from '../../core/units.ts';
import { tolerant } from '../../journal/writer.ts';
import { now, type RunContext } from '../context.ts';

const checkEvery = 200;
const settleWithin = 60_000;

export async function recovery(context: RunContext): Promise<'ok' | 'stop'> {
  const { parts, state, monitor } = context;
  // A run that was stopped before anything was injected has nothing to recover from.
  if (state.recoveryFrom !== undefined) state.recovered = await awaitRecovery(context, state.recoveryFrom);
  await monitor.stop();
  await settleLedgers(context);
  return parts.control.reason === undefined ? 'ok' : 'stop';
}

async function awaitRecovery(context: RunContext, from: number): Promise<NonNullable<RunContext['state']['recovered']>> {
  const { parts, monitor } = context;
  const { withinMs, holdMs } = parts.plan.steadyState.recovery;
  const record = tolerant(parts.record, () => undefined);
  // Undoing may itself disturb: the hold time counts from its end at the earliest.
  const holdFrom = Math.max(from, now(parts));
  for (;;) {
    const steadySince = monitor.steadySince();
    const time = now(parts);
    if (steadySince !== undefined && time - Math.max(steadySince, holdFrom) >= holdMs) {
      const sinceMs = Math.max(0, Math.round(steadySince - from));
      if (sinceMs > withinMs) return fail(`back only after ${formatDuration(sinceMs)}, allowed are ${formatDuration(withinMs)}`);
      await record({ type: 'recovery.held', sinceMs });
      return { sinceMs };
    }
    // Steady in time but not yet for the hold time: wait for it. Not steady after the limit: it failed.
    if (time - from > withinMs && (steadySince === undefined || steadySince - from > withinMs)) {
      return fail(`not back within ${formatDuration(withinMs)}: ${monitor.broken().join('; ')}`);
    }
    try {
      await parts.clock.sleep(checkEvery, parts.control.skipRecovery);
    } catch {
      return fail('not waited for: the operator ended the run');
    }
  }
  async function fail(detail: string): Promise<{ failed: string }> {
    await record({ type: 'recovery.failed', detail });
    return { failed: detail };
  }
}

async function settleLedgers({ parts, monitor, state }: RunContext): Promise<void> {
  const record = tolerant(parts.record, () => undefined);
  for (const { name, settle } of monitor.ledgers()) {
    try {
      const result = await settle(AbortSignal.timeout(settleWithin));
      state.ledgers.push(result);
      await record({ type: 'ledger.settled', result });
    } catch (error) {
      const detail = describeError(error);
      state.unsettled.push({ probe: name, detail });
      await record({ type: 'ledger.unknown', probe: name, detail });
    }
  }
}
