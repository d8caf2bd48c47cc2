/** A fresh copy of the new primary beside the old data: made, completed, then exchanged. The old data stays until replication is proved. */
import type { FaultContext } from '../../contract.ts';
import { row } from './nodes.ts';
import { LabelRow } from './sql.ts';
import type { FailoverUndo } from './undo.ts';

/** GNU tar's exit code for a file that changed while it was read: expected here, WAL replay repairs it. */
const changedWhileRead = 1;

export async function clone(context: FaultContext, undo: FailoverUndo, source: string): Promise<void> {
  const { operations } = context;
  const { primary, version } = undo;
  const named = version >= 150_000 ? '' : '-14';
  await operations.run(`clear-clone-${primary}`);
  await operations.run(`backup-start${named}-${source}`);
  await operations.run(`copy-from-${source}`, { accept: [0, changedWhileRead] });
  const { labelfile } = await row(context, `backup-stop${named}-${source}`, LabelRow);
  await operations.run(`finish-clone-${primary}`, { stdin: labelfile });
  await operations.run(`swap-${primary}`);
}
