/**
 * The little of a terminal that `chaos lab ssh` needs once the client has put its own into raw mode: echo, backspace, Ctrl-C, Ctrl-D,
 * Ctrl-U and line ends. There is no pseudo-terminal behind it (Node has none without a native module): full-screen programs do not work.
 */

export interface TerminalHandlers {
  /** A finished line, with its newline, for the command's standard input. */
  line(text: string): void;
  /** Ctrl-D on an empty line. */
  end(): void;
  /** Ctrl-C. */
  interrupt(): void;
  /** What the client is to show for what was typed. */
  echo(text: string): void;
}

export class LineTerminal {
  readonly #handlers: TerminalHandlers;
  readonly #decoder = new TextDecoder();
  #line = '';

  constructor(handlers: TerminalHandlers) {
    this.#handlers = handlers;
  }

  /** Takes what the client typed. */
  input(bytes: Uint8Array): void {
    const text = this.#decoder.decode(bytes, { stream: true });
    // biome-ignore lint/suspicious/noControlCharactersInRegex: escape sequences (cursor keys) mean nothing here and are dropped
    for (const key of text.replace(/\u001b(?:\[[0-9;]*[A-Za-z~]|O[A-Z])/g, '').replaceAll('\r\n', '\n')) this.#press(key);
  }

  #press(key: string): void {
    switch (key) {
      case '\r':
      case '\n':
        this.#handlers.echo('\r\n');
        this.#handlers.line(`${this.#line}\n`);
        this.#line = '';
        return;
      case '\u0003':
        this.#handlers.echo('^C\r\n');
        this.#line = '';
        this.#handlers.interrupt();
        return;
      case '\u0004':
        if (this.#line === '') this.#handlers.end();
        return;
      case '\u0008':
      case '\u007f':
        this.#erase(1);
        return;
      case '\u0015':
        this.#erase([...this.#line].length);
        return;
      default:
        if (key < ' ' && key !== '\t') return;
        this.#line += key;
        this.#handlers.echo(key);
    }
  }

  #erase(count: number): void {
    const characters = [...this.#line];
    const erased = characters.splice(Math.max(0, characters.length - count));
    this.#line = characters.join('');
    this.#handlers.echo('\b \b'.repeat(erased.length));
  }
}

/** Line ends as a raw terminal wants them. */
export function forTerminal(output: Uint8Array): Buffer {
  return Buffer.from(Buffer.from(output).toString('latin1').replace(/\r?\n/g, '\r\n'), 'latin1');
}
