/** The view that fits the terminal and the options, over the process's streams. */
import { createRunView, type RunView } from '../views/run-view.ts';
import type { Terminal } from './terminal.ts';
import { clock } from './wire.ts';

export function openRunView(terminal: Terminal, { json }: { readonly json: boolean }): RunView {
  const write = json ? terminal.writeOut : terminal.writeErr;
  const sink = {
    write,
    isTTY: terminal.isTTY && !json,
    get columns() {
      return terminal.columns;
    },
  };
  const view = createRunView({ sink, format: json ? 'json' : 'human', color: terminal.color, clock });
  // Whatever ends the process, a third Ctrl-C included: the terminal gets its cursor back.
  const close = (): void => {
    process.off('exit', close);
    view.close();
  };
  process.once('exit', close);
  return { event: (event, state) => view.event(event, state), close };
}
