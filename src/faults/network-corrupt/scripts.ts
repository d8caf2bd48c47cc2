/** The shell texts of this fault. */
import type { FaultMistake, FaultRequest } from '../contract.ts';
import type { HostScriptRequest, HostScripts } from '../host-fault/contract.ts';
import { tcScripts } from '../network/tc.ts';
import { trafficMistakes } from '../network/traffic.ts';
import type { NetworkCorruptParameters } from './schema.ts';

export function scripts({ parameters, id }: HostScriptRequest<NetworkCorruptParameters>): HostScripts {
  const { percent, correlation = 0 } = parameters;
  return tcScripts(parameters, { kind: 'netem', options: `limit 100000 corrupt ${percent}% ${correlation}%` }, id);
}

export function mistakes({ parameters }: FaultRequest<NetworkCorruptParameters>): readonly FaultMistake[] {
  return trafficMistakes(parameters);
}
