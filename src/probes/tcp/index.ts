/** Opens connections at a fixed rate, says something on them where it is told to, and looks at what comes back. */
import { startAsking } from '../asking.ts';
import type { ProbeContext, ProbeDefinition, RunningProbe } from '../contract.ts';
import { longestSample } from '../fields.ts';
import { tlsTrust } from '../tls.ts';
import { TcpSpec } from './schema.ts';

export const tcpProbe: ProbeDefinition<TcpSpec> = {
  kind: 'tcp',
  summary: 'Opens a TCP or TLS connection at a fixed rate; ok is a connection, and an expected text on it, within the timeout.',
  spec: TcpSpec,
  gives: ['latency'],
  files: [['tls', 'ca']],
  longestSampleMs: longestSample,
  start(spec: TcpSpec, context: ProbeContext): RunningProbe {
    const trust = spec.tls === undefined ? undefined : tlsTrust(context.name, spec.tls);
    return startAsking(spec, context, async () => new (await import('./caller.ts')).TcpCaller(spec, trust));
  },
};
