/**
 * Ctrl-C and SIGTERM. Once: the run is stopped and undone. A second time while that goes on: says what would be left behind. Only a third
 * ends the process; `chaos recover` finishes then.
 */
import { constants } from 'node:os';

export interface SignalHandlers {
  /** The first signal: stop in good order. */
  stop(signal: 'SIGINT' | 'SIGTERM' | 'SIGHUP'): void;
  /** The second: what would be left behind, for people. */
  warn(): void;
}

/** Listens until disposed. A closed terminal (SIGHUP) stops the run as SIGTERM does, however often it comes. */
export function listenForSignals(handlers: SignalHandlers): Disposable {
  let count = 0;
  const onSignal = (signal: 'SIGINT' | 'SIGTERM'): void => {
    count++;
    if (count === 1) handlers.stop(signal);
    else if (count === 2) {
      handlers.stop(signal);
      handlers.warn();
    } else process.exit(128 + constants.signals[signal]);
  };
  const onInt = (): void => onSignal('SIGINT');
  const onTerm = (): void => onSignal('SIGTERM');
  const onHup = (): void => handlers.stop('SIGHUP');
  process.on('SIGINT', onInt);
  process.on('SIGTERM', onTerm);
  process.on('SIGHUP', onHup);
  return {
    [Symbol.dispose]() {
      process.off('SIGINT', onInt);
      process.off('SIGTERM', onTerm);
      process.off('SIGHUP', onHup);
    },
  };
}
