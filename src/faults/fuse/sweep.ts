/**
 * Finds the fuses of any run on a host and makes them revert: from the host alone, without a journal. A fuse whose runner lives is left
 * alone. What carries the mark of a fault and has no fuse is told, not touched: nobody knows its undo here.
 */
import { cleanText, tail } from '../../core/text.ts';
import { milliseconds } from '../../core/units.ts';
import type { CommandRunner } from '../../drivers/contract.ts';
import { type FuseStatus, fuseInput, parseFuses, pullAnswer } from './answers.ts';
import { forgetText, listText, pullText } from './script.ts';

export interface SweptFuse {
  readonly fuse: FuseStatus;
  /** `live`: its runner holds it, left alone; `clean`: reverted, checked and removed; `failed`: see `detail`. */
  readonly became: 'live' | 'clean' | 'failed';
  readonly detail: string;
}

export interface Swept {
  readonly fuses: readonly SweptFuse[];
  /** Traces of faults that no fuse accounts for, one a line. */
  readonly residue: readonly string[];
}

const readMs = milliseconds(45_000);
const changeMs = milliseconds(120_000);
/** A runner that arms many targets holds the first of them only after the last is armed, s. */
const armingS = 30;

/** Rejects when the host cannot be asked: then nothing is known about it. */
export async function sweepHost(host: CommandRunner, force: boolean, signal: AbortSignal): Promise<Swept> {
  const fuses = await listFuses(host, signal);
  const swept: SweptFuse[] = [];
  for (const fuse of fuses) swept.push(await sweepFuse(host, fuse, force, signal));
  const live = swept.some(({ became }) => became === 'live');
  // What belongs to a live run is no residue.
  return { fuses: swept, residue: live ? [] : await lookForResidue(host, signal) };
}

async function listFuses(host: CommandRunner, signal: AbortSignal): Promise<readonly FuseStatus[]> {
  const listed = await host.run({ command: listText(), stdin: fuseInput(), timeout: readMs, privileged: true }, signal);
  const fuses = listed.ended === 'exited' ? parseFuses(listed.stdout) : undefined;
  if (fuses !== undefined) return fuses;
  throw new Error(`its fuses cannot be listed: ${listed.lostBecause ?? (tail(listed.stderr || listed.stdout, 400) || listed.ended)}`);
}

async function sweepFuse(host: CommandRunner, fuse: FuseStatus, force: boolean, signal: AbortSignal): Promise<SweptFuse> {
  const young = fuse.ageS !== undefined && fuse.ageS < armingS;
  const live = fuse.state !== 'reverted' && fuse.watched && (fuse.held || young);
  if (live && !force) return { fuse, became: 'live', detail: fuse.held ? 'its runner is alive' : 'it was armed just now' };
  const pulled = await host.run({ command: pullText(fuse.id), timeout: changeMs, privileged: true }, signal);
  if (pulled.ended !== 'exited' || !pullAnswer(pulled).reverted)
    return { fuse, became: 'failed', detail: pulled.lostBecause ?? tail(pulled.stdout || pulled.stderr, 400) };
  const forgotten = await host.run({ command: forgetText(fuse.id), timeout: readMs, privileged: true }, signal);
  if (forgotten.ended !== 'exited' || forgotten.exitCode !== 0)
    return { fuse, became: 'failed', detail: `reverted, but not removed: ${tail(forgotten.stdout || forgotten.stderr, 400)}` };
  return { fuse, became: 'clean', detail: tail(pulled.stdout.trimEnd().replace(/^.*\n/s, ''), 400) };
}

/** What the faults of this program mark as theirs: a variable, the handles of queueing disciplines, the names of tables, chains and devices. */
const residueText = `for p in $(grep -ls 'CHAOS_FAULT[=]' /proc/[0-9]*/environ 2>/dev/null); do
  p=\${p#/proc/}; p=\${p%/environ}; echo "process $p: $(tr '\\0' ' ' 2>/dev/null <"/proc/$p/cmdline" | cut -c1-100)"
done
PATH=$PATH:/usr/sbin:/sbin
tc qdisc show 2>/dev/null | grep ' c4a[01]: ' | sed 's/^/queueing discipline: /'
nft list tables 2>/dev/null | grep ' chaos_' | sed 's/^/firewall: /'
iptables -w 5 -S 2>/dev/null | grep -- '^-N [a-z2-7]\\{6\\}-s[0-9.]*-' | sed 's/^/firewall: iptables /'
ip -o link show type ifb 2>/dev/null | grep ': c-[a-z2-7]\\{6\\}-' | cut -d: -f2 | sed 's/^/device:/'
ls -d /etc/systemd/system/chaos-*.service 2>/dev/null | sed 's/^/unit: /'
exit 0`;

async function lookForResidue(host: CommandRunner, signal: AbortSignal): Promise<string[]> {
  const found = await host.run({ command: residueText, timeout: readMs, privileged: true }, signal);
  if (found.ended !== 'exited') throw new Error(`its residue cannot be listed: ${found.lostBecause ?? found.ended}`);
  return cleanText(found.stdout)
    .split('\n')
    .filter((line) => line.trim() !== '');
}
