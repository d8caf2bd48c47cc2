/** What sudo says when it does not let us, and what mends it. */
import { tail } from '../../core/text.ts';

const remedies: readonly (readonly [RegExp, string])[] = [
  [
    /password is required|no password was provided|terminal is required/,
    'let it run without one: add `LOGIN ALL=(root) NOPASSWD: ALL` to a file in /etc/sudoers.d',
  ],
  [/not in the sudoers|not allowed to (?:execute|run)/, 'allow it: add `LOGIN ALL=(root) NOPASSWD: ALL` to a file in /etc/sudoers.d'],
  [/must have a tty/, 'take the demand for a terminal off: add `Defaults:LOGIN !requiretty` to a file in /etc/sudoers.d'],
  [/not found|No such file/, 'there is no sudo: install it, or log in as root with `become: none`'],
];

/** `stderr` of a privileged command that never began, as one line with its remedy. */
export function sudoRefusal(stderr: string): string {
  const said = tail(stderr.trim(), 200) || 'sudo gave no reason';
  const remedy = remedies.find(([pattern]) => pattern.test(said))?.[1];
  return `cannot become root: ${said}${remedy === undefined ? '' : ` (${remedy})`}`;
}
