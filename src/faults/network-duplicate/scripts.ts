/** The shell texts of this fault. */
import type { FaultMistake, FaultRequest } from '../contract.ts';
import type { HostScriptRequest, HostScripts } from '../host-fault/contract.ts';
import { tcScripts } from '../network/tc.ts';
import { trafficMistakes } from '../network/traffic.ts';
import type { NetworkDuplicateParameters } from './schema.ts';

export function scripts({ parameters, id }: HostScriptRequest<NetworkDuplicateParameters>): HostScripts {
  const { percent, correlation = 0 } = parameters;
  return tcScripts(parameters, { kind: 'netem', options: `limit 100000 duplicate ${percent}% ${correlation}%` }, id);
}

export function mistakes({ parameters }: FaultRequest<NetworkDuplicateParameters>): readonly FaultMistake[] {
  return trafficMistakes(parameters);
}
