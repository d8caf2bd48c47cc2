/** The shell texts of this fault. */
import type { FaultMistake, FaultRequest } from '../contract.ts';
import type { HostScriptRequest, HostScripts } from '../host-fault/contract.ts';
import { tcScripts } from '../network/tc.ts';
import { trafficMistakes } from '../network/traffic.ts';
import type { NetworkLossParameters } from './schema.ts';

export function scripts({ parameters, id }: HostScriptRequest<NetworkLossParameters>): HostScripts {
  const { percent, correlation = 0 } = parameters;
  return tcScripts(parameters, { kind: 'netem', options: `limit 100000 loss ${percent}% ${correlation}%` }, id);
}

export function mistakes({ parameters }: FaultRequest<NetworkLossParameters>): readonly FaultMistake[] {
  return trafficMistakes(parameters);
}
