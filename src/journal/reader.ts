/**
 * Reads a journal back. A runner may die in the middle of a line: torn lines are tolerated at the end and where a recovery took over. A line
 * that is whole but no event of this version never is: it may be the one that says what is still in effect.
 */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ChaosError } from '../core/errors.ts';
import { JournalEvent } from './events.ts';

/** Where the journal of the run in `folder` is. */
export function journalPath(folder: string): string {
  return join(folder, 'journal.jsonl');
}

export interface JournalContents {
  readonly events: readonly JournalEvent[];
  /** The last line has no end: its writer died while writing it. */
  readonly torn: boolean;
}

/** Reads the journal in `folder`; rejects with `CHAOS_JOURNAL` when it is missing or damaged elsewhere than at a torn line. */
export async function readJournal(folder: string): Promise<JournalContents> {
  const path = journalPath(folder);
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (cause) {
    throw new ChaosError('CHAOS_JOURNAL', 'the journal cannot be read', { target: path, cause });
  }
  return parseJournal(text, path);
}

export function parseJournal(text: string, path: string): JournalContents {
  const lines = text.split('\n');
  const unfinished = lines.pop() ?? '';
  // Its writer may have died between the last character and the line's end.
  if (isJson(unfinished)) lines.push(unfinished);
  const events: JournalEvent[] = [];
  let torn: number | undefined;
  for (const [index, line] of lines.entries()) {
    if (!isJson(line)) {
      torn ??= index + 1;
      continue;
    }
    const event = JournalEvent.safeParse(JSON.parse(line));
    if (!event.success) throw damage(path, index + 1);
    if (torn !== undefined && event.data.type !== 'recover.started') throw damage(path, torn);
    torn = undefined;
    events.push(event.data);
  }
  return { events, torn: unfinished !== '' };
}

function isJson(line: string): boolean {
  try {
    JSON.parse(line);
    return true;
  } catch {
    return false;
  }
}

function damage(path: string, line: number): ChaosError {
  return new ChaosError('CHAOS_JOURNAL', `${path}:${line} is not an event of this version`, {
    target: path,
    hint: 'the file was changed by hand or written by another version of chaos',
  });
}
