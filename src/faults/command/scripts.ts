/** The shell texts of this fault: the author's commands, each in a shell of its own that knows nothing of ours. */
import { shellQuote } from '../../core/text.ts';
import type { HostScriptRequest, HostScripts } from '../host-fault/contract.ts';
import type { CommandParameters } from './schema.ts';

/** Where and how the login would run it: the fuse itself works in / and keeps its files to itself. */
const asLogin = 'cd @home@ || exit 1; export HOME=@home@; umask @umask@';

export function scripts({ parameters }: HostScriptRequest<CommandParameters>): HostScripts {
  const { inject, verify, revert, check } = parameters;
  return {
    // A fault that is there already could neither be told from ours nor given back as it was.
    look: `save home "$HOME"; save umask "$(umask)"
${asked(verify)}
[ $code -ne 0 ] || refuse 'the fault is in effect before it was injected: its verify command exits 0; run the revert command by hand, or make verify exit 0 only while the fault is in effect'
[ $code -lt 126 ] || refuse "verify cannot be run (exit code $code): nothing could be proved; try the verify command by hand on that host"`,
    inject: `${asLogin}\nexec sh -c ${shellQuote(inject)}`,
    verify: `${asLogin}\n${asked(verify)}\necho "verify exited $code"\n[ $code -eq 0 ] || exit 3`,
    undo: `${asLogin}\nsh -c ${shellQuote(revert)} </dev/null || { echo 'the revert command failed' >&2; exit 1; }`,
    check: `${asLogin}\n${check === undefined ? gone(verify) : asked(check, 'check')}`,
    undoInWords: revert,
  };
}

/** Leaves its exit code in `code`; with a name it also tells it and ends with the answer. */
function asked(text: string, name?: string): string {
  const ask = `code=0; sh -c ${shellQuote(text)} </dev/null >/dev/null 2>&1 || code=$?`;
  return name === undefined ? ask : `${ask}\necho "${name} exited $code"\n[ $code -eq 0 ] || exit 3`;
}

/** A verify that was killed or never started proves nothing; only an exit code of its own does. */
function gone(verify: string): string {
  return `${asked(verify)}\necho "verify exited $code"\n[ $code -gt 0 ] && [ $code -lt 126 ] || exit 3`;
}

export function notes(): readonly string[] {
  return ['What the commands do is the author’s word; the runner only checks that `verify` and `check` say so.'];
}
