/** A defect of ours must not leave a fault in effect: what nobody caught stops the run through its one abort path instead of ending the process. */
import { describeError } from '../core/errors.ts';
import type { RunControl } from '../engine/control.ts';

/** Listens until disposed. */
export function stopOnDefects(control: RunControl): Disposable {
  const onDefect = (error: unknown): void => {
    control.stop({ kind: 'internal', detail: describeError(error) });
  };
  process.on('uncaughtException', onDefect);
  process.on('unhandledRejection', onDefect);
  return {
    [Symbol.dispose]() {
      process.off('uncaughtException', onDefect);
      process.off('unhandledRejection', onDefect);
    },
  };
}
