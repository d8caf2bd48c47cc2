/** The developers' log: every event of a run as a structured line on stderr, when `CHAOS_LOG` asks for it. Not for people, not a record. */
import type { JournalEvent } from '../journal/events.ts';

export type EventLog = (event: JournalEvent) => void;

/** A log at level `CHAOS_LOG` (`debug`, `info`, …), or one that does nothing. pino is loaded only when it is wanted. */
export async function openEventLog(): Promise<EventLog> {
  const level = process.env.CHAOS_LOG;
  if (level === undefined || level === '') return () => undefined;
  const { pino } = await import('pino');
  const log = pino({ level, redact: ['*.password', '*.*.password'] }, pino.destination({ dest: 2, sync: true }));
  return (event) => {
    const { type, ...facts } = event;
    if (type === 'probe.sampled' || type === 'slo.measured') log.trace(facts, type);
    else log.debug(facts, type);
  };
}
