/** Asks a name server for a name at a fixed rate. The system's own lookups, which share four threads, are not used. */
import { startAsking } from '../asking.ts';
import type { ProbeContext, ProbeDefinition, RunningProbe } from '../contract.ts';
import { longestSample, timing } from '../fields.ts';
import { DnsSpec } from './schema.ts';

export const dnsProbe: ProbeDefinition<DnsSpec> = {
  kind: 'dns',
  summary: 'Asks a name server for a name at a fixed rate; ok is an expected answer within the timeout.',
  spec: DnsSpec,
  gives: ['latency'],
  longestSampleMs: longestSample,
  start: (spec: DnsSpec, context: ProbeContext): RunningProbe =>
    startAsking(spec, context, async () => new (await import('./questioner.ts')).Questioner(spec, timing(spec).timeoutMs)),
};
