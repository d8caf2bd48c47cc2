/** As much of a terminal as the live view uses: rows, cursor up, clear below, carriage return. Anything else throws. */
export class Screen {
  readonly #rows: string[] = [''];
  readonly #columns: number;
  #row = 0;
  #column = 0;
  cursorVisible = true;

  constructor(columns: number) {
    this.#columns = columns;
  }

  write(text: string): void {
    // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what a terminal reads
    for (const part of text.match(/\u001b\[[?0-9;]*[A-Za-z]|[\s\S]/gu) ?? []) this.#take(part);
  }

  lines(): string[] {
    return this.#rows.map((row) => row.trimEnd()).filter((row) => row !== '');
  }

  #take(part: string): void {
    if (part === '\n') {
      this.#row++;
      this.#column = 0;
      this.#rows[this.#row] ??= '';
    } else if (part === '\r') this.#column = 0;
    else if (part === '\u001b[?25l') this.cursorVisible = false;
    else if (part === '\u001b[?25h') this.cursorVisible = true;
    else if (part === '\u001b[0J') this.#clearBelow();
    else if (part.startsWith('\u001b[') && part.endsWith('A')) this.#row = Math.max(0, this.#row - Number(part.slice(2, -1)));
    else if (part.startsWith('\u001b')) throw new Error(`the screen does not know ${JSON.stringify(part)}`);
    else this.#put(part);
  }

  #clearBelow(): void {
    this.#rows.length = this.#row + 1;
    this.#rows[this.#row] = (this.#rows[this.#row] ?? '').slice(0, this.#column);
  }

  #put(character: string): void {
    if (this.#column >= this.#columns) this.#take('\n');
    const row = (this.#rows[this.#row] ?? '').padEnd(this.#column);
    this.#rows[this.#row] = row.slice(0, this.#column) + character + row.slice(this.#column + 1);
    this.#column++;
  }
}
