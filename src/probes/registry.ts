/**
 * Every probe, by the key it has in an environment file. Cheap to import: the language reads the schemas from here; a probe's own
 * clients come with the standard library or through its context.
 */

import { alertmanagerProbe } from './alertmanager/index.ts';
import type { ProbeDefinition } from './contract.ts';
import { dnsProbe } from './dns/index.ts';
import { httpProbe } from './http/index.ts';
import { postgresProbe } from './postgres/index.ts';
import { postgresLedgerProbe } from './postgres-ledger/index.ts';
import { prometheusProbe } from './prometheus/index.ts';
import { tcpProbe } from './tcp/index.ts';

const definitions: readonly ProbeDefinition[] = [
  httpProbe,
  tcpProbe,
  dnsProbe,
  prometheusProbe,
  alertmanagerProbe,
  postgresProbe,
  postgresLedgerProbe,
];

export const probeRegistry: ReadonlyMap<string, ProbeDefinition> = new Map(definitions.map((definition) => [definition.kind, definition]));
