/** The shell texts of this fault. */
import type { FaultMistake, FaultRequest } from '../contract.ts';
import { sizeBytes } from '../fields.ts';
import type { HostScriptRequest, HostScripts } from '../host-fault/contract.ts';
import { tcScripts } from '../network/tc.ts';
import { trafficMistakes } from '../network/traffic.ts';
import type { NetworkBandwidthParameters } from './schema.ts';

export function scripts({ parameters, id }: HostScriptRequest<NetworkBandwidthParameters>): HostScripts {
  const { rate, burst, latency } = parameters;
  const options = `rate ${rate} burst ${Math.ceil(sizeBytes(burst))} latency ${latency}ms`;
  return tcScripts(parameters, { kind: 'tbf', options }, id);
}

export function mistakes({ parameters }: FaultRequest<NetworkBandwidthParameters>): readonly FaultMistake[] {
  return trafficMistakes(parameters);
}
