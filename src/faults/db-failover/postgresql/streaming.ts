/**
 * Does a standby really follow? Rows in the statistics views prove nothing: a diverged server shows one on each side. All must hold: the
 * sender is streaming and not behind its own standby, the receiver is streaming on the new timeline.
 */
import type { FaultContext } from '../../contract.ts';
import { answer, readRole, rows } from './nodes.ts';
import { ReceiverRow, StreamingRow } from './sql.ts';

export interface Streaming {
  readonly ok: boolean;
  readonly evidence: readonly string[];
}

export interface Link {
  /** The primary that it must follow. */
  readonly source: string;
  readonly host: string;
  /** Its name in pg_stat_replication; default the host's. */
  readonly name?: string;
  /** Timeline before the failover; where nothing was promoted, the link must still be on it. */
  readonly before: string;
}

export async function readStreaming(context: FaultContext, { source, host, name = host, before }: Link): Promise<Streaming> {
  const role = await readRole(context, source);
  if (role instanceof Error || role.kind !== 'primary') return { ok: false, evidence: [`${source} is not writable`] };
  const own = await readRole(context, host);
  if (own instanceof Error || own.kind !== 'standby') return { ok: false, evidence: [`${host} is not a running standby`] };
  const senders = await answer(context, () => rows(context, `streaming-${source}`, StreamingRow, { variables: { name } }));
  const receivers = await answer(context, () => rows(context, `receiver-${host}`, ReceiverRow));
  if (senders instanceof Error || receivers instanceof Error) return { ok: false, evidence: [`${source} or ${host} does not answer`] };
  const [sender] = senders;
  const [receiver] = receivers;
  const timeline = Number.parseInt(role.timeline, 16);
  const evidence = [
    sender === undefined
      ? `${source} has no connection of ${name}`
      : `${source} sends to ${name}: ${sender.state}${sender.ahead === true ? ', and has less than its standby' : ''}${sender.sync_state === 'async' ? '' : `, ${sender.sync_state}`}`,
    receiver === undefined
      ? `${host} has no WAL receiver`
      : `${host} receives: ${receiver.status} on timeline ${receiver.received_tli}, expected ${timeline}`,
  ];
  const sends = sender?.state === 'streaming' && sender.ahead !== true;
  const receives = receiver?.status === 'streaming' && receiver.received_tli === timeline;
  return { ok: sends && receives && (before === role.timeline || timeline > Number.parseInt(before, 16)), evidence };
}
