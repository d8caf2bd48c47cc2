/**
 * Owned resources, given back newest first. Node 20 has no `AsyncDisposableStack`; this is the part of it that is used here.
 * Every disposer runs whatever the others do; several failures become one `AggregateError`.
 */
export class CleanupStack implements AsyncDisposable {
  readonly #disposers: Array<() => unknown> = [];

  /** Registers a disposer. */
  defer(dispose: () => unknown): void {
    this.#disposers.push(dispose);
  }

  /** Registers `resource` and gives it back. */
  use<T extends AsyncDisposable>(resource: T): T {
    this.defer(() => resource[Symbol.asyncDispose]());
    return resource;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const failures: unknown[] = [];
    for (let dispose = this.#disposers.pop(); dispose !== undefined; dispose = this.#disposers.pop()) {
      try {
        await dispose();
      } catch (error) {
        failures.push(error);
      }
    }
    if (failures.length === 1) throw failures[0] as Error;
    if (failures.length > 1) throw new AggregateError(failures, 'several resources could not be given back');
  }
}
