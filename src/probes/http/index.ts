/** Asks a URL at a fixed rate, as a user would. It judges an answer by its status alone and knows nothing of SLOs. */
import type { ProbeContext, ProbeDefinition, RunningProbe } from '../contract.ts';
import { longestSample, timing } from '../fields.ts';
import { startSchedule } from '../schedule.ts';
import { HttpClient } from './request.ts';
import { HttpSpec } from './schema.ts';

export const httpProbe: ProbeDefinition<HttpSpec> = {
  kind: 'http',
  summary: 'Requests a URL at a fixed rate; ok is an expected status within the timeout.',
  spec: HttpSpec,
  longestSampleMs: longestSample,
  start(spec: HttpSpec, context: ProbeContext): RunningProbe {
    const client = new HttpClient(spec);
    const schedule = startSchedule({
      clock: context.clock,
      origin: context.origin,
      ...timing(spec),
      attempt: (slot) => client.ask(slot.signal),
      emit: (sample) => context.emit(sample),
    });
    return {
      async stop(): Promise<void> {
        await schedule.stop();
        client.close();
      },
    };
  },
};
