/** Branded identifiers. Each has one maker, so a run's id can never be passed where a target's is meant. */
declare const brand: unique symbol;
type Brand<T, Name extends string> = T & { readonly [brand]: Name };

/** Six characters of `a-z2-7`, for example `k3f9qz`. Names on targets carry it as `chaos-<id>`. */
export type RunId = Brand<string, 'RunId'>;
/** The name of one host, pod or node as the environment file spells it. */
export type TargetId = Brand<string, 'TargetId'>;

const alphabet = 'abcdefghijklmnopqrstuvwxyz234567';

/** A fresh run id; 32^6, about a thousand million, are possible. */
export function newRunId(): RunId {
  // 32 letters divide the 256 values of a byte evenly. The global needs no import, which `--help` would pay for.
  return [...crypto.getRandomValues(new Uint8Array(6))].map((byte) => alphabet[byte % alphabet.length]).join('') as RunId;
}

/** Parses a run id; `undefined` when `text` is not one. */
export function parseRunId(text: string): RunId | undefined {
  return /^[a-z2-7]{6}$/.test(text) ? (text as RunId) : undefined;
}

/** Host, pod and node names: letters, digits, dot, dash, underscore; at most 253 characters. */
export const targetIdPattern = /^[A-Za-z0-9][A-Za-z0-9._-]{0,252}$/;

/** The only maker of a {@link TargetId}; throws `RangeError` for a name outside {@link targetIdPattern}. */
export function targetId(name: string): TargetId {
  if (!targetIdPattern.test(name)) throw new RangeError(`not a target name: ${JSON.stringify(name)}`);
  return name as TargetId;
}
