/** Ends a `switch` over a union: the compiler proves it unreachable; should data from outside get there, it throws. */
export function assertNever(value: never): never {
  throw new TypeError(`unexpected value: ${JSON.stringify(value)}`);
}
