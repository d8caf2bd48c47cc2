/** How a lab is right now, asked from the outside: everything is measured, nothing is believed. */
import { connect } from 'node:net';
import { mapLimit } from '../core/limit.ts';
import { labDoor } from './door.ts';
import type { Lab } from './host-environment.ts';
import { findLab, type LabInfo } from './lab.ts';
import { type DatabaseHost, databaseHosts, labHosts, labPorts, loopback, serviceHosts } from './layout.ts';
import { readRecord } from './record.ts';
import { withAdmin } from './sql.ts';

export interface LabStatus {
  readonly lab: LabInfo;
  /** True when the keeper lives and everything below is up, with exactly one primary. */
  readonly healthy: boolean;
  /** `up`: an SSH server answers. */
  readonly hosts: readonly { readonly name: string; readonly port: number; readonly up: boolean }[];
  /** `up`: it answers its health check. */
  readonly services: readonly { readonly name: string; readonly host: string; readonly port: number; readonly up: boolean }[];
  readonly databases: readonly DatabaseStatus[];
  /** What is not real here. */
  readonly emulated: readonly string[];
}

export interface DatabaseStatus {
  readonly host: string;
  readonly port: number;
  readonly role: 'primary' | 'standby' | 'down';
  /** Primary: the standbys that stream from it; standby: its receiver's state. */
  readonly replication: string;
}

const answerMs = 1_500;

/** Rejects with `CHAOS_LAB` only when there is no such lab. */
export async function labStatus(id: string, signal: AbortSignal): Promise<LabStatus> {
  const lab = await findLab(id);
  const record = readRecord(lab.dir);
  if (record === undefined) return { lab, healthy: false, hosts: [], services: [], databases: [], emulated: labDoor };
  const ports = labPorts(record.basePort);
  const hosts = await mapLimit(
    labHosts,
    5,
    async (name) => ({ name, port: ports.ssh[name], up: await answersSsh(ports.ssh[name]) }),
    signal,
  );
  const places = [{ name: 'load-balancer', host: 'lb', port: ports.shop }];
  places.push(...serviceHosts.map((host) => ({ name: 'checkout', host, port: ports.checkout[host] })));
  const services = await mapLimit(places, 3, async (place) => ({ ...place, up: await answersHttp(place.port, signal) }), signal);
  const databases = await mapLimit(databaseHosts, 2, (node) => askNode({ dir: lab.dir, record }, node), signal);
  const primaries = databases.filter((node) => node.role === 'primary').length;
  const up = [...hosts, ...services].every((one) => one.up) && databases.every((node) => node.role !== 'down');
  return { lab, healthy: lab.state === 'up' && up && primaries === 1, hosts, services, databases, emulated: labDoor };
}

/** A greeting, not only an open port: a stopped keeper still accepts connections. */
function answersSsh(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host: loopback, port });
    const settle = (up: boolean): void => {
      socket.destroy();
      resolve(up);
    };
    socket.setTimeout(answerMs, () => settle(false));
    socket.once('error', () => settle(false));
    socket.once('close', () => settle(false));
    socket.once('data', (greeting) => settle(greeting.toString('latin1').startsWith('SSH-2.0')));
  });
}

async function answersHttp(port: number, signal: AbortSignal): Promise<boolean> {
  try {
    const response = await fetch(`http://${loopback}:${port}/healthz`, {
      signal: AbortSignal.any([signal, AbortSignal.timeout(answerMs)]),
    });
    await response.body?.cancel();
    return response.ok;
  } catch {
    signal.throwIfAborted();
    return false;
  }
}

async function askNode(lab: Lab, node: DatabaseHost): Promise<DatabaseStatus> {
  const place = { host: node, port: labPorts(lab.record.basePort).database[node] };
  try {
    return await withAdmin(lab, node, { timeoutMs: answerMs }, async (query) => {
      const [state] = await query('SELECT pg_is_in_recovery() AS standby');
      if (state?.standby === true) {
        const [receiver] = await query('SELECT status FROM pg_stat_wal_receiver');
        return { ...place, role: 'standby', replication: typeof receiver?.status === 'string' ? receiver.status : 'not receiving' };
      }
      const senders = await query('SELECT application_name, state, sync_state FROM pg_stat_replication ORDER BY 1');
      const list = senders.map((one) => `${one.application_name} ${one.state} (${one.sync_state})`);
      return { ...place, role: 'primary', replication: list.join(', ') || 'no standby' };
    });
  } catch {
    return { ...place, role: 'down', replication: '' };
  }
}
