/** Fills `@name@` in the texts of a plan with values read on the targets; nothing that is filled in can end its word or literal. */
import { ChaosError } from '../core/errors.ts';

const token = /@([a-z][a-z0-9-]*)@/g;
const shellSafe = /^[A-Za-z0-9._:/+-]*$/;

type Variables = Readonly<Record<string, string>>;

/** For a shell text: only characters that mean nothing to a shell pass, else `CHAOS_PLAN_DRIFT`. */
export function fillShell(text: string, variables: Variables): string {
  return fill(text, variables, (name, value) => {
    if (shellSafe.test(value)) return value;
    throw new ChaosError(
      'CHAOS_PLAN_DRIFT',
      `the value for @${name}@ is not safe in a shell command: ${JSON.stringify(value.slice(0, 80))}`,
    );
  });
}

/** For SQL: each value becomes a quoted literal (`standard_conforming_strings` on or off). */
export function fillSql(text: string, variables: Variables): string {
  return fill(text, variables, (_name, value) => {
    const quoted = `'${value.replaceAll("'", "''").replaceAll('\\', '\\\\')}'`;
    return value.includes('\\') ? ` E${quoted}` : quoted;
  });
}

/** For standard input: as it is. */
export function fillStdin(text: string, variables: Variables): string {
  return fill(text, variables, (_name, value) => value);
}

function fill(text: string, variables: Variables, quote: (name: string, value: string) => string): string {
  return text.replace(token, (_whole, name: string) => {
    const value = Object.hasOwn(variables, name) ? variables[name] : undefined;
    if (value === undefined) throw new ChaosError('CHAOS_PLAN_DRIFT', `no value for @${name}@`);
    return quote(name, value);
  });
}
