/** Where a command writes: people read stderr, machines read stdout. Handed in, so that tests can capture it. */
import { cleanText, jsonLine, screenText } from '../core/text.ts';
import { wantsColor } from '../views/style.ts';

export interface Terminal {
  /** A line or more for stdout: requested artefacts. Steers the terminal with colours at most, whatever is in it. */
  out(text: string): void;
  /** A line or more for stderr: everything meant for people. The same holds. */
  err(text: string): void;
  /** For `--json`: one document, on one line of stdout. */
  json(document: unknown): void;
  /** As they are, without a line end. */
  writeOut(text: string): void;
  writeErr(text: string): void;
  /** Is stderr a terminal that can redraw? */
  readonly isTTY: boolean;
  readonly columns: number;
  readonly color: boolean;
}

/** The process's own streams. `NO_COLOR`, `FORCE_COLOR` and `TERM=dumb` are respected. */
export function processTerminal(options: { readonly color: boolean }): Terminal {
  const { env, stderr, stdout } = process;
  const isTTY = stderr.isTTY === true && env.TERM !== 'dumb';
  // A reader that went away (`chaos plan | head`) is no reason to die before everything is undone.
  for (const stream of [stdout, stderr]) if (stream.listenerCount('error') === 0) stream.on('error', () => undefined);
  const writeOut = (text: string): void => void stdout.write(text);
  const writeErr = (text: string): void => void stderr.write(text);
  // commander says true when --no-color is absent: that is no wish.
  const color = wantsColor({ flag: options.color ? undefined : false, environment: env, isTTY });
  const line = (text: string): string => {
    const safe = color ? screenText(text) : cleanText(text);
    return safe.endsWith('\n') ? safe : `${safe}\n`;
  };
  return {
    writeOut,
    writeErr,
    out: (text) => writeOut(line(text)),
    err: (text) => writeErr(line(text)),
    json: (document) => writeOut(`${jsonLine(document)}\n`),
    isTTY,
    get columns() {
      // A terminal that does not know its size says 0.
      return stderr.columns || 100;
    },
    color,
  };
}
