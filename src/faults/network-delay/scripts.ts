/** The shell texts of this fault. */
import type { FaultMistake, FaultRequest } from '../contract.ts';
import { durationMs } from '../fields.ts';
import type { HostScriptRequest, HostScripts } from '../host-fault/contract.ts';
import { tcScripts } from '../network/tc.ts';
import { trafficMistakes } from '../network/traffic.ts';
import type { NetworkDelayParameters } from './schema.ts';

/** Packets that wait: at 100,000 a second, a delay of 100 ms holds 10,000. Beyond it netem drops, which would be another fault. */
const limit = 100_000;

export function scripts({ parameters, id }: HostScriptRequest<NetworkDelayParameters>): HostScripts {
  const { time, jitter, correlation, distribution, direction } = parameters;
  const added = durationMs(time);
  const spread = jitter === undefined ? 0 : durationMs(jitter);
  const options = [
    `limit ${limit} delay ${added}ms`,
    ...(jitter === undefined ? [] : [`${spread}ms`, ...(correlation === undefined ? [] : [`${correlation}%`])]),
    ...(jitter === undefined || distribution === 'uniform' ? [] : [`distribution ${distribution}`]),
  ].join(' ');
  // Both ways: what leaves waits and what comes back.
  const expected = added * (direction === 'both' ? 2 : 1);
  const judge = `if [ @rtt@ != 0 ] && [ -n "$during" ]; then
  gained=$(echo "$during @rtt@" | awk '{ printf "%.1f", $1 - $2 }')
  echo "the round trip gained $gained ms, asked ${expected} ms"
  measure delayAdded "$gained"
  echo "$gained" | awk '{ exit !($1 >= ${expected} * 0.8 - ${spread}) }' || exit 3
fi`;
  return tcScripts(parameters, { kind: 'netem', options, judge }, id);
}

export function mistakes({ parameters }: FaultRequest<NetworkDelayParameters>): readonly FaultMistake[] {
  const { jitter, correlation, distribution } = parameters;
  const lonely =
    jitter === undefined ? (correlation === undefined ? (distribution === 'uniform' ? [] : ['distribution']) : ['correlation']) : [];
  return [
    ...trafficMistakes(parameters),
    ...lonely.map((name) => ({ path: [name], message: `${name} is that of the jitter: add jitter` })),
  ];
}
