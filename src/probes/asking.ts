/** What all probes that ask and get an answer share: a client, loaded when the probe starts, is asked once a slot. */
import type { ProbeContext, RunningProbe } from './contract.ts';
import { timing } from './fields.ts';
import { type Attempt, type Schedule, type Slot, startSchedule } from './schedule.ts';

/** What came of one question; with the number it was for, where the probe reads one. */
export interface Reading extends Attempt {
  readonly value?: number;
}

export interface Client {
  /** Should not reject; if it does, the sample is not ok. After `slot.signal` aborted nothing of the question may stay behind. */
  ask(slot: Slot): Promise<Reading>;
  close(): void | Promise<void>;
}

/** The first slot is due once the client is loaded, so that no sample waits for that. */
export function startAsking(
  spec: { readonly rate: string; readonly timeout: string },
  context: ProbeContext,
  load: () => Promise<Client>,
): RunningProbe {
  let stopped: Promise<void> | undefined;
  const loading = load().then((client) => ({ client, schedule: stopped === undefined ? begin(spec, context, client) : undefined }));
  // `stop` hands it on; a probe that gives no sample is seen for its silence.
  loading.catch(() => undefined);
  const stop = async (): Promise<void> => {
    const { client, schedule } = await loading;
    await schedule?.stop();
    await client.close();
  };
  return {
    stop: () => {
      stopped ??= Promise.resolve().then(stop);
      return stopped;
    },
  };
}

function begin(spec: { readonly rate: string; readonly timeout: string }, context: ProbeContext, client: Client): Schedule {
  /** By slot; what comes after its slot's timeout is not kept. */
  const values = new Map<number, number>();
  return startSchedule({
    clock: context.clock,
    origin: context.origin,
    ...timing(spec),
    attempt: async (slot) => {
      const { value, ...attempt } = await client.ask(slot);
      if (value !== undefined && !slot.signal.aborted) values.set(slot.number, value);
      return attempt;
    },
    emit: (sample, slot) => {
      const value = values.get(slot);
      values.delete(slot);
      context.emit(value === undefined || !sample.ok ? sample : { ...sample, value });
    },
  });
}
