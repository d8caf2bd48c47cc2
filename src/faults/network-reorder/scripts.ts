/** The shell texts of this fault. */
import type { FaultMistake, FaultRequest } from '../contract.ts';
import { durationMs } from '../fields.ts';
import type { HostScriptRequest, HostScripts } from '../host-fault/contract.ts';
import { tcScripts } from '../network/tc.ts';
import { trafficMistakes } from '../network/traffic.ts';
import type { NetworkReorderParameters } from './schema.ts';

export function scripts({ parameters, id }: HostScriptRequest<NetworkReorderParameters>): HostScripts {
  const { percent, correlation = 0, delay, gap } = parameters;
  const every = gap === undefined ? '' : ` gap ${gap}`;
  const options = `limit 100000 delay ${durationMs(delay)}ms reorder ${percent}% ${correlation}%${every}`;
  return tcScripts(parameters, { kind: 'netem', options }, id);
}

export function mistakes({ parameters }: FaultRequest<NetworkReorderParameters>): readonly FaultMistake[] {
  return trafficMistakes(parameters);
}
