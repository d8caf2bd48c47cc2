/** ProxyCommand of an SSH configuration, with its tokens expanded as ssh does when it runs it; `ssh -G` prints it as it was written. */
import { ChaosError } from '../core/errors.ts';

export interface ProxyTokens {
  /** `%n`: as on the command line. */
  readonly name: string;
  readonly address: string;
  readonly port: number;
  readonly user: string;
}

/** What a shell would not take as a plain word is not put into a command line; ssh since 9.6 does as much. */
const plainWord = /^[A-Za-z0-9_.:@+][A-Za-z0-9_.:@+-]*$/;

/** Rejects with `CHAOS_REFUSED` what cannot be run here. */
export function expandProxyCommand(command: string, tokens: ProxyTokens): string {
  const refuse = (why: string): ChaosError =>
    new ChaosError('CHAOS_REFUSED', `${tokens.name} is reached by a ProxyCommand (${command}), ${why}`, {
      target: tokens.name,
      hint: 'change it in the SSH configuration, use ProxyJump, or set address and ssh.config: none in the environment file',
    });
  if (command === '-') throw refuse('which would be the standard input of this program');
  const values: Readonly<Record<string, string>> = { '%': '%', h: tokens.address, n: tokens.name, p: String(tokens.port), r: tokens.user };
  return command.replace(/%(.?)/gs, (written: string, letter: string) => {
    const value = values[letter];
    if (value === undefined) throw refuse(`in which ${written} stands for nothing that is known: %h, %n, %p, %r and %% are`);
    if (letter !== '%' && !plainWord.test(value))
      throw refuse(`and what ${written} stands for, ${JSON.stringify(value)}, is not a plain word`);
    return value;
  });
}
