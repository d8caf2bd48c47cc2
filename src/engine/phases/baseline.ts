/** Before anything is injected the SLOs must hold: otherwise nothing that follows could be told from what was there before. */
import { formatDuration } from '../../core/units.ts';
import { warmUpMs } from '../../plan/warm-up.ts';
import { now, type RunContext } from '../context.ts';

export async function baseline(context: RunContext): Promise<'ok' | 'stop'> {
  const { parts, monitor, state } = context;
  const { baselineMs } = parts.plan.steadyState;
  await monitor.start();
  const warmUp = warmUpMs(baselineMs);
  await parts.clock.sleep(warmUp, parts.control.signal);
  const counted = now(parts);
  await parts.clock.sleep(baselineMs - warmUp, parts.control.signal);
  const unclear = monitor.brokenSince(counted).length > 0 ? [] : await monitor.abortRules.calibrate(counted, now(parts) - counted);
  // Asked once more: what happened meanwhile counts too.
  const broken = monitor.brokenSince(counted);
  if (broken.length > 0) return fail(context, `not steady within ${formatDuration(baselineMs)}: ${broken.join('; ')}`);
  if (unclear.length > 0) return fail(context, `not steady enough to tell an effect: ${unclear.join('; ')}`);
  state.steadyBefore = true;
  await parts.record({ type: 'baseline.held', ms: Math.round(baselineMs) });
  return 'ok';
}

async function fail({ parts, state }: RunContext, detail: string): Promise<'stop'> {
  state.steadyBefore = false;
  await parts.record({ type: 'baseline.failed', detail });
  return 'stop';
}
